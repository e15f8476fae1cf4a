"""Networks along the page: equal in every batch, and fitted by gradients that are those of the loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.data import LABELS
from detector.network import Network, Sight
from detector.places import MOST_IN_MEAN, MOST_REACH, Places
from training.export import real_layers, round_network
from training.network import Rows, fit_network, fit_on, one_hot, plan_of
from training.network.loss import loss_and_gradients
from training.network.parameters import Parameters
from training.network.sight import Dropout

MakeNetwork = Callable[[int], Network]
SIZES = [5, 1, 30, 0, 2, 17, 9]
"""Segments of pages: some fewer than the distances of the convolutions."""


def rows_of(sizes: list[int], columns: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Standardised rows, and the offsets of their pages."""
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    return np.random.default_rng(2).normal(size=(offsets[-1], columns)).astype(np.float32), offsets


def groups_of(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Two groupings: every third row of a page together, and stretches of four."""
    of_page = np.concatenate([np.arange(size) for size in np.diff(offsets)])
    page_of = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return np.stack((page_of * 100 + of_page % 3, page_of * 100 + of_page // 4))


def labelled(rows: NDArray[np.float32], labels: NDArray[np.int8], offsets: NDArray[np.int64]) -> Rows:
    """Rows that all weigh the same."""
    n, pages = len(rows), len(offsets) - 1
    weights, chars = np.ones(n, np.float32), np.full(n, 50)
    return Rows(rows, one_hot(labels), weights, offsets, groups_of(offsets), chars, np.ones(pages, np.float32))


def test_results_are_equal_to_the_bit_in_every_batch(make_network: MakeNetwork) -> None:
    network = make_network(7)
    assert {stage.sight for stage in network.stages} == set(Sight)
    rows, offsets = rows_of(SIZES, 7)
    groups = groups_of(offsets)
    together = network.logits(rows, Places.of(offsets, groups))
    for size in (1, 2, 3):
        for first in range(0, len(SIZES), size):
            bounds = offsets[first : first + size + 1]
            places = Places.of(bounds - bounds[0], groups[:, bounds[0] : bounds[-1]])
            some = network.logits(rows[bounds[0] : bounds[-1]], places)
            assert np.array_equal(some, together[bounds[0] : bounds[-1]])


def test_a_page_is_seen_and_no_other(make_network: MakeNetwork) -> None:
    rows, offsets = rows_of(SIZES, 7)
    changed = rows.copy()
    changed[0] = 3
    network, places = make_network(7), Places.of(offsets, groups_of(offsets))
    differs = (network.logits(changed, places) != network.logits(rows, places)).any(axis=1)
    assert differs[: SIZES[0]].all()
    assert not differs[SIZES[0] :].any()


def test_a_network_is_what_its_description_says(make_network: MakeNetwork) -> None:
    network = make_network(4)
    rows, offsets = rows_of([12], 4)
    x = rows.astype(np.float64)
    for layer in real_layers(network)[:-1]:
        if layer.sight == Sight.NEIGHBOURS:
            padded = np.pad(x, ((layer.distance, layer.distance), (0, 0)))
            near = np.concatenate((padded[: len(x)], x, padded[2 * layer.distance :]), axis=1)
            x = x + np.maximum(near @ layer.weight + layer.bias, 0)
        elif layer.sight == Sight.GROUPS:
            groups = groups_of(offsets)
            means = [np.stack([x[group == number].mean(axis=0) for number in group]) for group in groups]
            x = x + np.maximum(np.concatenate(means, axis=1) @ layer.weight + layer.bias, 0)
        elif layer.sight == Sight.SIDES:
            reach = layer.distance
            sides = [[x[max(place - reach, 0) : place], x[place + 1 : place + 1 + reach]] for place in range(len(x))]
            means = [[side.sum(axis=0) / max(len(side), 1) for side in both] for both in sides]
            x = x + np.maximum(np.reshape(means, (len(x), -1)) @ layer.weight + layer.bias, 0)
        elif layer.sight == Sight.PAGE:
            x = x + np.maximum(x.mean(axis=0) @ layer.weight + layer.bias, 0)
        else:
            x = np.maximum(x @ layer.weight + layer.bias, 0)
    last = real_layers(network)[-1]
    exact = x @ last.weight + last.bias
    assert np.abs(network.logits(rows, Places.of(offsets, groups_of(offsets))) - exact).max() < 0.02


def test_rounding_and_its_inverse_agree(make_network: MakeNetwork) -> None:
    network = make_network(5)
    rows, offsets = rows_of(SIZES, 5)
    again = round_network(real_layers(network), rows, offsets, groups_of(offsets))
    assert [(stage.sight, stage.distance) for stage in again.stages] == [(s.sight, s.distance) for s in network.stages]
    for now, before, stage in zip(real_layers(again), real_layers(network), [*again.stages, None], strict=True):
        step = again.output.scale if stage is None else stage.layer.scale
        assert (np.abs(now.weight - before.weight) <= step).all()
        assert np.array_equal(now.bias, before.bias)


def test_gradients_are_those_of_the_loss() -> None:
    random = np.random.default_rng(0)
    drawn = Parameters.drawn(5, (4, 3), 2, random)
    parameters = drawn.holding([array.astype(np.float64) for array in drawn.arrays])
    inputs, offsets = rows_of([4, 1, 20], 5)
    rows = Rows(
        inputs.astype(np.float64),
        one_hot(random.integers(len(LABELS), size=len(inputs)).astype(np.int8)).astype(np.float64),
        random.random(len(inputs)),
        offsets,
        groups_of(offsets),
        random.integers(1, 300, len(inputs)),
        random.random(3),
    )

    def loss() -> tuple[float, list[NDArray[np.floating]]]:
        return loss_and_gradients(parameters, rows, rows.places, Dropout(), 0.7)

    _, gradients = loss()
    assert all(gradient.any() for gradient in gradients)
    for array, gradient in zip(parameters.arrays, gradients, strict=True):
        for place in range(0, array.size, 5):
            before = array.flat[place]
            array.flat[place] = before + 1e-6
            up, _ = loss()
            array.flat[place] = before - 1e-6
            down, _ = loss()
            array.flat[place] = before
            assert gradient.flat[place] == pytest.approx((up - down) / 2e-6, abs=1e-7)


def test_a_network_learns_what_stands_beside_a_segment() -> None:
    rows, offsets = rows_of([25] * 40, 3)
    # The sign of the first column two segments before decides; nothing in the segment itself does.
    labels = np.zeros(len(rows), np.int8)
    labels[2:] = rows[:-2, 0] > 0
    labels[np.arange(len(rows)) % 25 < 2] = 0
    network = fit_network(labelled(rows, labels, offsets), (16, 8), seed=1)
    assert [(stage.sight, stage.distance) for stage in network.stages] == plan_of(2)
    places = Places.of(offsets, groups_of(offsets))
    right = (network.logits(rows, places).argmax(axis=1) == labels).mean()
    assert right > 0.9
    on = fit_on(network, labelled(rows, labels, offsets), 0.001)
    assert (on.logits(rows, places).argmax(axis=1) == labels).mean() > right


@pytest.mark.parametrize("value", [0.25, MOST_IN_MEAN, 1e6])
def test_means_are_exact_over_the_longest_reach_and_cut_above_the_most(value: float) -> None:
    n_rows = 3 * MOST_REACH
    rows = np.full((n_rows, 2), value, np.float32)
    places = Places.of(np.array([0, n_rows]), [np.arange(n_rows) % 2])
    most = pytest.approx(min(value, MOST_IN_MEAN), rel=1e-6)
    assert places.means(rows)[0, 0] == most
    assert places.group_means(rows)[-1, 1] == most
    sides = places.side_means(rows, MOST_REACH)
    assert sides[[0, -1]].tolist() == [[0, 0, most, most], [most, most, 0, 0]]
    assert sides[1:-1].min() == most == sides[1:-1].max()
