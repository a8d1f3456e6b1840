"""Every error of the extension.

::

    LineConnectError
    ├── ConfigError          fix the settings
    ├── UsageError           fix the code
    │   └── InvalidMessage   a message breaks one of LINE's limits
    ├── LineApiError         LINE said no, or did not answer
    └── Refused              a rule said no; has words for the person
"""

from __future__ import annotations


class LineConnectError(Exception):
    """Base of all errors of the extension."""


class ConfigError(LineConnectError):
    """A setting is missing or wrong; the text names it and says how to mend it."""


class UsageError(LineConnectError):
    """The extension was called in a way that can't work; the text says what to change."""


class InvalidMessage(UsageError):
    """A message breaks a limit of LINE's, which the text names."""


class LineApiError(LineConnectError):
    """LINE answered with an error, or not at all.

    :ivar text: what happened, in our own words; fit for a log.
    :ivar status: the HTTP status, or ``None`` when there was no answer.
    :ivar request_id: LINE's ``x-line-request-id``, to quote to LINE's support.
    :ivar answer: the beginning of LINE's answer, which may quote what we sent: for a developer's
        eyes, never for a log, and therefore no part of the error's own text.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        answer: str = "",
    ):
        super().__init__(text if request_id is None else f"{text} (LINE's request id {request_id})")
        self.text = text
        self.answer = answer
        self.status = status
        self.request_id = request_id

    @property
    def is_retryable(self) -> bool:
        """Tell whether the same request may be sent again: no answer of LINE's, or a 5xx.

        Source: Messaging API, "Retry failed API requests".
        """
        return self.status is None or self.status >= 500


class Refused(LineConnectError):
    """A rule said no, and nothing was changed.

    :ivar message: one or two sentences for the person, already translated.
    :ivar step: the step that refused, for logs, tests and the page's small print.
    """

    def __init__(self, message: str, *, step: str = "rule"):
        # Whoever shows the error itself shows the sentence, and no code.
        super().__init__(message)
        self.message = message
        self.step = step
