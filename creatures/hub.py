"""Calls of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from creatures.runtime.errors import UserError


def ask_hub(what: str, call: Callable[[Any], Any]) -> Any:
    """Call the hub; its many errors become one line.

    Args:
        what: is asked for, in the message.
        call: is given huggingface_hub's HfApi; what it returns is returned.

    Raises:
        UserError: there is no network, no permission, or no such thing.
    """
    from huggingface_hub import HfApi, errors

    try:
        return call(HfApi())
    except errors.GatedRepoError:
        raise UserError(f"{what} is gated: accept its terms on its page and set HF_TOKEN") from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise UserError(f"Hugging Face has no {what}, or it is private: set HF_TOKEN") from None
    except Exception as error:  # its transport's own errors change with its versions
        line = " ".join(str(error).split())[:200]
        raise UserError(f"Hugging Face, {what}: {line or type(error).__name__}") from None
