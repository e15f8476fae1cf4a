"""Fit the model's networks: dense layers, then convolutions along the page, by gradient descent in NumPy.

scikit-learn's networks see one row at a time; these see the page around it. One step of `fit_network`:

1. `batches` draws pages at random and takes their rows (`rows`).
2. Forward, stage after stage (`parameters` says which): `sight` gathers what each row sees, a layer follows it.
3. `loss` compares the probabilities with the targets: the cross-entropy of segments and, where it helps, the F1 of
   whole pages as well, which is what a model is measured by. Its gradients go back through the same stages in reverse.
4. `optimiser` moves the weights; a running average of them is what is kept (`fitting`).

`fit_on` goes on from a network that exists, with the same loss and L-BFGS. Every name that other code uses is here.
"""

from __future__ import annotations

from training.network.fitting import DROPOUT, ROWS_SEEN, fit_network, fit_on
from training.network.parameters import plan_of
from training.network.rows import Rows, one_hot

__all__ = ["DROPOUT", "ROWS_SEEN", "Rows", "fit_network", "fit_on", "one_hot", "plan_of"]
