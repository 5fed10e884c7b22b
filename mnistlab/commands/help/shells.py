"""The shells: the script that makes each of them ask mnistlab, and how it wants the answer.

The scripts know nothing of mnistlab's options. They pass on what is typed, and call the program by the name that is
typed, so that each installation answers for itself.
"""

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.commands.help.candidates import Candidate, Offer

_BASH = r"""# Completion of mnistlab for bash; `mnistlab completion bash` prints it.
_mnistlab() {
    local answer line
    COMPREPLY=()
    answer=$("${COMP_WORDS[0]/#\~/$HOME}" completion --complete bash \
        "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null) || return 0
    while IFS= read -r line; do
        [ -n "$line" ] && COMPREPLY+=("$line")
    done <<< "$answer"
    return 0
}
complete -o nospace -o nosort -F _mnistlab mnistlab 2>/dev/null || complete -o nospace -F _mnistlab mnistlab
"""

_ZSH = r"""#compdef mnistlab
# Completion of mnistlab for zsh; `mnistlab completion zsh` prints it.
_mnistlab() {
    emulate -L zsh
    local line
    local -a answer parts shown
    local -i count=0
    answer=("${(@f)$(COLUMNS=$COLUMNS ${~words[1]} completion --complete zsh \
        "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    for line in "${(@)answer}"; do
        parts=("${(@ps:\t:)line}")
        shown=("$parts[3]")
        case $parts[1] in
            ends) compadd -U -l -V mnistlab -d shown -- "$parts[2]" && count+=1 ;;
            open) compadd -U -l -V mnistlab -S '' -d shown -- "$parts[2]" && count+=1 ;;
        esac
    done
    (( count ))
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _mnistlab "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
    compdef _mnistlab mnistlab
fi
"""

_FISH = r"""# Completion of mnistlab for fish; `mnistlab completion fish` prints it.
function __mnistlab_complete
    set -l tokens (commandline -opc)
    set -l program (string replace -r '^~' $HOME -- $tokens[1])
    $program completion --complete fish $tokens[2..-1] (commandline -ct | string collect --allow-empty) \
        2>/dev/null </dev/null
end
complete -c mnistlab -f -k -a '(__mnistlab_complete)'
"""

_SPECIAL_IN_BASH = re.compile(r"([^\w@%+=:,./~{}\[\]^-])")


@dataclass(frozen=True)
class Shell:
    """A shell.

    Attributes:
        name: As its program is called.
        script: What makes it ask mnistlab.
        kept: Where the script is kept, from the environment.
        startup: The file that new shells read, to which a line is added; None where they find the script themselves.
        words: What stands after `mnistlab` up to the cursor, from what the script passes on.
        answer: What the script is told, a line for each candidate, from what it has passed on and the offer.
    """

    name: str
    script: str
    kept: Callable[[Mapping[str, str]], Path]
    startup: Callable[[Mapping[str, str]], Path | None]
    words: Callable[[Sequence[str]], list[str]]
    answer: Callable[[Sequence[str], Offer], list[str]]


@dataclass(frozen=True)
class Typed:
    """A command line for bash, taken apart.

    Attributes:
        words: The words without quotes, the last the one at the cursor.
        raw: The last word as it stands there.
        quoted: What of the last word, without quotes, stands before a quote that is still open; None without one.
    """

    words: list[str]
    raw: str
    quoted: str | None


def take_apart(line: str) -> Typed:
    """Split a command line into words as bash does."""
    words, word, start, quote, before = [], "", 0, "", ""
    position = 0
    while position < len(line):
        char = line[position]
        if char == "\\" and quote != "'" and position + 1 < len(line):
            position += 1
            word += line[position]
        elif char == quote:
            quote = ""
        elif char in "'\"" and not quote:
            quote, before = char, word
        elif char.isspace() and not quote:
            words += [word] if position > start else []
            word, start = "", position + 1
        else:
            word += char
        position += 1
    return Typed([*words, word], line[start:], before if quote else None)


def _in_bash(passed: Sequence[str], offer: Offer) -> list[str]:
    """What goes in place of the part of the word that bash replaces, which begins after the last word break.

    The space after a word is part of the answer: bash adds it after every word or after none.
    """
    line, breaks = passed
    typed = take_apart(line)
    if typed.quoted is not None:
        wholes = [offer.head + candidate.word for candidate in offer.candidates]
        return [whole.removeprefix(typed.quoted) for whole in wholes if whole.startswith(typed.quoted)]
    kept = max((typed.raw.rfind(char) + 1 for char in breaks if not char.isspace()), default=0)
    replies = []
    for candidate in offer.candidates:
        whole = _SPECIAL_IN_BASH.sub(r"\\\1", offer.head + candidate.word)
        if whole.startswith(typed.raw[:kept]):
            replies.append(whole[kept:] + (" " if candidate.ends else ""))
    return replies


def _in_zsh(passed: Sequence[str], offer: Offer) -> list[str]:
    """For each candidate whether it ends the word, the whole word, and how it is shown."""
    del passed
    width = max((len(candidate.word) for candidate in offer.candidates), default=0)
    columns = shutil.get_terminal_size().columns - 1
    lines = []
    for candidate in offer.candidates:
        shown = f"{candidate.word:<{width}}  {_line(candidate)}".rstrip()[:columns]
        lines.append(f"{'ends' if candidate.ends else 'open'}\t{offer.head}{candidate.word}\t{shown}")
    return lines


def _in_fish(passed: Sequence[str], offer: Offer) -> list[str]:
    """The whole word and what it is; fish itself leaves out the space after `=`, `.` and `/`."""
    del passed
    return [f"{offer.head}{candidate.word}\t{_line(candidate)}".rstrip() for candidate in offer.candidates]


def _line(candidate: Candidate) -> str:
    return " ".join(candidate.text.split())


def _folder(environment: Mapping[str, str], variable: str, default: str) -> Path:
    """A folder that an environment variable may name, else one in the home."""
    return Path(environment.get(variable) or _home(environment) / default)


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - as shells do it


def _data(name: str) -> Callable[[Mapping[str, str]], Path]:
    return lambda environment: _folder(environment, "XDG_DATA_HOME", ".local/share") / "mnistlab" / name


SHELLS = {
    shell.name: shell
    for shell in (
        Shell(
            "bash",
            _BASH,
            _data("completion.bash"),
            lambda environment: _home(environment) / ".bashrc",
            lambda passed: take_apart(passed[0]).words[1:],
            _in_bash,
        ),
        Shell(
            "zsh",
            _ZSH,
            _data("completion.zsh"),
            lambda environment: Path(environment.get("ZDOTDIR") or _home(environment)) / ".zshrc",
            list,
            _in_zsh,
        ),
        Shell(
            "fish",
            _FISH,
            lambda environment: _folder(environment, "XDG_CONFIG_HOME", ".config") / "fish/completions/mnistlab.fish",
            lambda _: None,
            list,
            _in_fish,
        ),
    )
}
