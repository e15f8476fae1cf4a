"""Errors that a caller can act on; each message names the input and says what to do."""

from __future__ import annotations


class DetectorError(Exception):
    """Base of every error this package raises on purpose."""


class UsageError(DetectorError, ValueError):
    """The call itself is wrong: an unknown kind, a threshold outside 0..1, a label that does not exist."""


class ModelError(DetectorError):
    """A model folder is missing, damaged, altered, or made for another feature schema."""


class SignatureError(DetectorError):
    """A signature file is missing, damaged or made by another version, or the server that counts does not answer."""


class SampleError(DetectorError):
    """A training sample can't be used; the message names the file, the line, and what is wrong."""


class InputError(DetectorError):
    """An input file is missing, unreadable, binary or empty."""
