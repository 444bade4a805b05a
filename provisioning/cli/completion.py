"""`lamppost completion`: the script that lets a shell complete our commands, options and names."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

SCRIPTS: Final = {
    "bash": r"""_lamppost() {
    local IFS=$'\n'
    COMPREPLY=($(lamppost __complete bash "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
}
complete -o bashdefault -o default -F _lamppost lamppost
""",
    "zsh": r"""#compdef lamppost
_lamppost() {
    local -a found
    found=("${(@f)$(lamppost __complete zsh $((CURRENT - 1)) "${words[@]}" 2>/dev/null)}")
    if [[ -n "$found" ]]; then
        _describe lamppost found
    else
        _files
    fi
}
if [[ "$funcstack[1]" == _lamppost ]]; then
    _lamppost "$@"
else
    compdef _lamppost lamppost
fi
""",
    "fish": r"""function __lamppost_complete
    set -l before (commandline -opc)
    set -l found (lamppost __complete fish (count $before) $before (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c lamppost -f -a '(__lamppost_complete)'
""",
}
_PLACES: Final = {
    "bash": ".local/share/bash-completion/completions/lamppost",
    "zsh": ".zfunc/_lamppost",
    "fish": ".config/fish/completions/lamppost.fish",
}
_THEN: Final = {
    "bash": "it works in the next shell (with the package bash-completion)",
    "zsh": "if it is not there yet, add to ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit",
    "fish": "it works in the next shell",
}


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish"] | None, typer.Argument(help="Your shell; else that of $SHELL.")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Put it where the shell looks for it.")] = False,
) -> int:
    """Print what completes commands, options and the names of devices, cameras, models and checks.

    Examples: `lamppost completion --install`, `source <(lamppost completion bash)`.
    """
    chosen = shell or Path(os.environ.get("SHELL", "")).name
    if chosen not in SCRIPTS:
        raise typer.BadParameter(
            f"{chosen or 'no $SHELL'}: name one of {', '.join(SCRIPTS)}", param_hint="SHELL"
        )
    if not install:
        sys.stdout.write(SCRIPTS[chosen])
        return 0
    place = Path.home() / _PLACES[chosen]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(SCRIPTS[chosen], encoding="utf-8")
    print(f"{place}: written; {_THEN[chosen]}")
    return 0
