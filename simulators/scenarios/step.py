"""What an action in a scenario is, and the table of all that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from lamppost.simulators.scenarios.model import Scenario
    from lamppost.simulators.scenarios.stage import Stage

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Period = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Table(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def repeated(first_s: float, every_s: float | None, until_s: float) -> list[float]:
    """Return the times of something that may happen again and again."""
    if every_s is None:
        return [first_s]
    return [first_s + n * every_s for n in range(1 + max(0, int((until_s - first_s) / every_s)))]


class Action(Table):
    """Something that is done at a time: ``[[at]]``. A new kind is a subclass under `action`."""

    #: How people say it, with its fields in braces.
    text: ClassVar[str] = "{do}"

    at_s: Seconds = Field(description="When, in seconds of the scenario; 0 is before the agent starts.")
    do: str = Field(description="What.")
    every_s: Period | None = Field(None, description="Again and again after so long, until the end.")
    say: str = Field("", description="How the demo tells it, instead of its usual words.")

    async def run(self, stage: Stage) -> None:
        """Do it."""
        raise NotImplementedError

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield what is wrong with it in this scenario."""
        del scenario
        yield from ()

    @property
    def told(self) -> str:
        """The words that are shown."""
        return self.say or self.text.format_map(dict(self))


ACTIONS: dict[str, type[Action]] = {}

_Kind = TypeVar("_Kind", bound=type[Action])


def action(word: str) -> Callable[[_Kind], _Kind]:
    """Make a kind of `Action` known under a word. Raises ValueError if the word is taken."""

    def register(kind: _Kind) -> _Kind:
        if word in ACTIONS:
            raise ValueError(f"two actions are called {word!r}")
        ACTIONS[word] = kind
        return kind

    return register
