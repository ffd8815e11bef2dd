"""The command line: ``suppose run | check | effect | report | list | reproduce``.

Every command is a thin door to what Python offers; heavy imports happen inside the commands. With
``--json`` a command prints one JSON document on standard output and nothing else. Exit status: 0
done, 1 a check or claim failed, 2 refused input, 3 a defect of ours.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from suppose import __version__
from suppose.core.errors import Refusal, StudyError, nearest

__all__ = ["app", "main"]

DONE, FAILED, REFUSED, DEFECT = 0, 1, 2, 3

app = typer.Typer(
    name="suppose",
    help="Ask a what-if question of your own table, and get an answer with its checks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars, and only the one-sentence answer.")]
Out = Annotated[Path | None, typer.Option("--out", help="Run folder; default: <study>.run here.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Override a study value: a.b=1 (repeatable).")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", help="Parallel jobs; -1 is every core. Same result for any number.")
]
Backend = Annotated[str | None, typer.Option("--backend", help="loky (this machine), dask or ray.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with an unfinished run; finished steps are kept.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Throw away the run in --out and start anew.")]


def main() -> None:
    """Run the command line; refusals become one message, never a traceback."""
    wants_json = "--json" in sys.argv[1:]
    try:
        status = app(standalone_mode=not wants_json)
        sys.exit(status if isinstance(status, int) else DONE)
    except Refusal as refusal:
        _say_refusal(refusal, wants_json)
        sys.exit(REFUSED)
    except MemoryError:
        shortage = StudyError(
            "out-of-memory", "this machine's memory is not enough", remedy="Use fewer rows, columns or jobs."
        )
        _say_refusal(shortage, wants_json)
        sys.exit(REFUSED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    except Exception as defect:
        if wants_json and hasattr(defect, "format_message"):  # typer's: the command itself is mistyped
            mistake = StudyError(
                "bad-command",
                str(defect.format_message()),
                where="command line",
                remedy="See suppose --help.",
            )
            _say_refusal(mistake, wants_json)
            sys.exit(REFUSED)
        if os.environ.get("SUPPOSE_TRACEBACK"):
            raise
        _say_defect(defect, wants_json)
        sys.exit(DEFECT)


def _say_refusal(refusal: Refusal, wants_json: bool) -> None:
    if wants_json:
        _print_json({"refused": refusal.to_dict()})
        return
    sys.stderr.write(
        f"suppose: {_plain(refusal.message)}\n         (more on this refusal: docs/errors/{refusal.code})\n"
    )


def _say_defect(defect: Exception, wants_json: bool) -> None:
    text = f"{type(defect).__name__}: {defect}".splitlines()[0][:300]
    if wants_json:
        _print_json({"defect": text})
        return
    sys.stderr.write(
        f"suppose: a defect of suppose, not of your study: {_plain(text)}\n"
        "         Nothing finished was lost. Set SUPPOSE_TRACEBACK=1 to see where, and please report it.\n"
    )


def _plain(text: str) -> str:
    """Text from data, safe for a terminal: control characters made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"suppose {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask a what-if question of your own table, and get an answer with its checks."""


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="The study file (TOML).", readable=False)],
    overrides: Overrides = None,
    out: Out = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = None,
    jobs: Jobs = None,
    backend: Backend = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Answer a study and write its run folder: answer.json, tables, figures, report.html."""
    from suppose.studies import load

    question = load(study, overrides or [])
    folder = out if out is not None else _default_folder(question.name, resume)
    options = {"resume": resume, "overwrite": overwrite, "seed": seed, "jobs": jobs, "backend": backend}
    _run_and_show(question, folder, options, as_json, quiet)


def _run_and_show(question: Any, folder: Path, options: dict[str, Any], as_json: bool, quiet: bool) -> None:
    from suppose.core.progress import set_quiet

    set_quiet(quiet or as_json)
    answer = question.run(folder, **options, announce=None if quiet or as_json else _announce)
    if as_json:
        sys.stdout.write(answer.to_json())
    elif quiet:
        sys.stdout.write(_plain(answer.sentence) + "\n")
    else:
        _show(answer, folder)
    raise typer.Exit(FAILED if answer.failed else DONE)


def _announce(words: str) -> None:
    sys.stderr.write(f"{_plain(words)}\n")


def _show(answer: Any, folder: Path) -> None:
    from suppose.report.terminal import show

    show(answer, folder=folder)


def _default_folder(name: str, resume: bool) -> Path:
    """``<name>.run``, or the first free ``<name>-2.run`` ...; with ``resume`` the last one there."""
    taken = [Path(f"{name}.run"), *(Path(f"{name}-{count}.run") for count in range(2, 1000))]
    if resume:
        existing = [path for path in taken if path.exists()]
        return existing[-1] if existing else taken[0]
    return next(path for path in taken if not path.exists())


@app.command()
def check(
    study: Annotated[Path, typer.Argument(help="The study file (TOML).", readable=False)],
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Read a study and its data and name every problem, without running the method."""
    from suppose.studies import load

    problems: list[Refusal] = []
    said: list[str] = []
    try:
        problems = load(study, overrides or []).check(said.append)
    except Refusal as refusal:
        problems = [refusal]
    if as_json:
        _print_json({"study": str(study), "problems": [problem.to_dict() for problem in problems]})
    elif not problems:
        sys.stdout.write(f"{_plain(str(study))}: no problems found\n")
        sys.stdout.write("".join(f"{_plain(words)}\n" for words in said))
    else:
        for problem in problems:
            _say_refusal(problem, False)
    raise typer.Exit(REFUSED if problems else DONE)


@app.command()
def effect(
    data: Annotated[str, typer.Argument(help="Table file, or the name of a shipped data set.")],
    treatment: Annotated[str, typer.Option("--treatment", help="Column of the treatment.")],
    outcome: Annotated[str, typer.Option("--outcome", help="Column of the outcome.")],
    adjust: Annotated[str, typer.Option("--adjust", help="Covariates to adjust for: a,b,c.")] = "",
    graph: Annotated[
        str | None, typer.Option("--graph", help='Graph to choose covariates from: "a -> t; t -> y".')
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Column of clusters (households, schools).")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="The untreated value of the treatment.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of the outcome, e.g. dollars.")] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="aipw, plr, ipw, g-computation or difference.")
    ] = None,
    estimand: Annotated[str | None, typer.Option("--estimand", help="ATE, ATT or ATO.")] = None,
    learner: Annotated[
        str | None, typer.Option("--learner", help="linear, lasso, forest or boosting.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Save the study to this file instead of running it.")
    ] = None,
    overrides: Overrides = None,
    out: Out = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = None,
    jobs: Jobs = None,
    backend: Backend = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Estimate the effect of a treatment on an outcome: the short way to an effect study."""
    from suppose.studies import kind_named

    home = write.resolve().parent if write is not None else None
    source, home = _data_source(data, home)
    roles = {
        "treatment": treatment,
        "outcome": outcome,
        "graph": graph,
        "cluster": cluster,
        "reference": reference,
        "outcome_unit": unit,
    }
    names = [name.strip() for name in adjust.split(",") if name.strip()]
    if names or graph is None:
        roles["adjust"] = names  # type: ignore[assignment]
    content = {
        "question": "effect",
        "data": source,
        "roles": {key: value for key, value in roles.items() if value is not None},
        "method": {
            key: value
            for key, value in {"name": method, "estimand": estimand, "learner": learner}.items()
            if value
        },
    }
    if seed is not None:
        content["run"] = {"seed": seed}
    study = kind_named("effect").from_dict(
        content, overrides or [], home=home, name=Path(data).name.split(".")[0]
    )
    if write is not None:
        _write_study(study, write, as_json)
        return
    folder = out if out is not None else _default_folder(study.name, resume)
    options = {"resume": resume, "overwrite": overwrite, "jobs": jobs, "backend": backend}
    _run_and_show(study, folder, options, as_json, quiet)


def _data_source(data: str, home: Path | None) -> tuple[dict[str, str], Path]:
    """The ``[data]`` table of a file or shipped name, and the folder it is relative to."""
    from suppose.datasets import shipped

    path = Path(data)
    if data in shipped() and not path.exists():
        return {"shipped": data}, home or Path.cwd()
    if not path.exists():
        remedy = nearest(data, shipped()) or f"Check the path, or use a shipped name: {', '.join(shipped())}."
        raise StudyError("missing-file", f"there is no file {data!r}", where="data", remedy=remedy)
    if home is None:
        return {"file": path.name}, path.resolve().parent
    resolved = path.resolve()
    if not resolved.is_relative_to(home):
        raise StudyError(
            "path-outside",
            f"{data!r} is not in the folder the study would be written to",
            where="--write",
            remedy="Write the study into the data's folder.",
        )
    return {"file": str(resolved.relative_to(home))}, home


def _write_study(study: Any, path: Path, as_json: bool) -> None:
    from suppose.core.run import write_atomic

    if path.exists():
        raise StudyError(
            "file-exists",
            "a file of that name is there",
            where=f"--write {str(path)!r}",
            remedy="Choose another name; suppose does not overwrite studies.",
        )
    text = study.to_toml()
    write_atomic(path, text)
    if as_json:
        _print_json({"study": str(path), "text": text})
    else:
        sys.stdout.write(
            f"Study written: {_plain(str(path))}\nAnswer it with: suppose run {_plain(str(path))}\n"
        )


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A finished run folder.", readable=False)],
    as_json: Json = False,
) -> None:
    """Write a finished run's report anew and show the answer."""
    from suppose.core.study import load_answer
    from suppose.report import write

    answer = load_answer(folder)
    write(answer, folder)
    if as_json:
        sys.stdout.write(answer.to_json())
    else:
        _show(answer, folder)
    raise typer.Exit(FAILED if answer.failed else DONE)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the systems, the question that reaches each, its paper, and what this version has."""
    from suppose.reproductions import REPRODUCTIONS
    from suppose.studies import KINDS
    from suppose.studies.catalogue import systems

    if as_json:
        _print_json(
            {
                "questions": list(KINDS),
                "reproductions": list(REPRODUCTIONS),
                "systems": [entry.to_dict() for entry in systems()],
            }
        )
        return
    from suppose.report.terminal import show_systems

    show_systems(systems(), list(KINDS), list(REPRODUCTIONS))


@app.command()
def reproduce(
    slug: Annotated[str | None, typer.Argument(help="A reproduction's slug; see suppose list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Run every reproduction.")] = False,
    scale: Annotated[str, typer.Option("--scale", help="cpu (minutes) or gpu (the real size).")] = "cpu",
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder; default: reproductions/<slug> here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Re-run a paper's headline claim and print the claim beside what was measured."""
    from suppose.core.progress import set_quiet
    from suppose.reproductions import REPRODUCTIONS
    from suppose.reproductions import reproduce as run_reproduction

    set_quiet(as_json)
    if everything == (slug is not None):
        raise StudyError(
            "which-reproduction",
            "expected one slug, or --all",
            where="reproduce",
            remedy=f"Slugs: {', '.join(REPRODUCTIONS)}.",
        )
    results = [
        run_reproduction(name, scale=scale, seed=seed, out=(out or Path("reproductions")) / name)
        for name in ([slug] if slug is not None else REPRODUCTIONS)
    ]
    if as_json:
        documents = [result.to_dict() for result in results]
        _print_json(documents if everything else documents[0])
    else:
        from suppose.report.terminal import show_reproduction

        for result in results:
            show_reproduction(result)
    held = all(claim.holds is not False for result in results for claim in result.claims)
    raise typer.Exit(DONE if held else FAILED)


if __name__ == "__main__":
    main()
