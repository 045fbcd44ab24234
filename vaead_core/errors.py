"""Mistakes a user can make, said in one plain sentence each. Pages and the command line show `str(error)`."""


class InputError(Exception):
    """What was given cannot be used: the rule, what was found, what to do."""


class ScanError(InputError):
    """A scan that cannot be read or scored."""


class CheckpointError(InputError):
    """A checkpoint folder that is incomplete, altered or foreign."""


class CohortError(InputError):
    """A data folder or data set that cannot be used for training or evaluation."""
