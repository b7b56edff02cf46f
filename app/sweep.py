"""Report of a sweep of experiments: table, curves, importance of parameters, parallel coordinates."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from creatures.runtime.config import flat
from creatures.runtime.errors import UserError

if TYPE_CHECKING:
    from optuna import Study
    from pandas import DataFrame

AXES = ("step", "kimg")
CURVES = {False: "training.png", True: "validation.png"}  # by whether a curve is of pictures that were not trained on
FEW = 20  # curves with fewer points have markers


@dataclass(frozen=True)
class Trial:
    """An experiment that has run.

    Attributes:
        rev: its commit.
        params, metrics: by dotted name; a metric's begins with the name of its file.
    """

    name: str
    rev: str
    params: dict[str, Any]
    metrics: dict[str, Any]


def report(prefix: str, metric: str, out: Path) -> list[Path]:
    """Write the report of the experiments whose names begin with `prefix`.

    Args:
        metric: such as pix2pix.val_l1: a file of metrics/ and the value's name there; lower is better.
        out: a folder.

    Raises:
        UserError: there are fewer than two such experiments with that metric, or they do not differ.
    """
    named = [trial for trial in experiments() if trial.name.startswith(prefix)]
    trials = [trial for trial in named if trial.metrics.get(metric) is not None]
    varied = differing(trials)
    if len(trials) < 2 or not varied:
        available = "but one" if len(trials) == 1 else "none" if not trials else "only such as have the same parameters"
        raise UserError(
            f"of experiments named {prefix}… with {metric} there is {available}; dvc queue status says what runs"
        )
    if len({trial.metrics[metric] for trial in trials}) == 1:
        raise UserError(f"all experiments named {prefix}… have the same {metric}")
    trials.sort(key=lambda trial: trial.metrics[metric])
    out.mkdir(parents=True, exist_ok=True)
    stage = metric.split(".")[0]
    study = study_of(trials, varied, metric)
    with TemporaryDirectory(dir=out) as folder:
        part = Path(folder)
        written = [part / "table.md", part / "importance.md"]
        for path, text in zip(written, (table(trials, varied, stage), importances(study)), strict=True):
            path.write_text(text, encoding="utf-8")
        written += [*curves(trials, varied, stage, part), *parallel(study, metric, part)]
        if all((out / path.name).is_file() for path in written[:2]):  # of an earlier report
            for name in CURVES.values():
                (out / name).unlink(missing_ok=True)
        return [path.replace(out / path.name) for path in written]


def experiments() -> list[Trial]:
    """The successful experiments that `dvc exp show` lists for this commit."""
    result = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "show", "--json", "--no-pager"], capture_output=True, text=True
    )
    if result.returncode:
        raise UserError(f"dvc exp show failed: {result.stderr.strip().splitlines()[-1]}")
    trials = []
    for commit in json.loads(result.stdout):
        for experiment in commit["experiments"] or []:
            for run in experiment["revs"]:
                ended = (experiment.get("executor") or {}).get("state") in (None, "success")
                if not ended or not (data := run["data"]):  # running, queued or failed
                    continue
                metrics = {Path(file).stem: content.get("data") or {} for file, content in data["metrics"].items()}
                params = data["params"]["params.yaml"]["data"]
                trials.append(Trial(run["name"] or run["rev"][:7], run["rev"], flat(params), flat(metrics)))
    return trials


def differing(trials: Iterable[Trial]) -> list[str]:
    """Names of the parameters that are not the same in all trials."""
    seen: dict[str, set[str]] = {}
    for trial in trials:
        for name, value in trial.params.items():
            seen.setdefault(name, set()).add(str(value))
    return [name for name, values in seen.items() if len(values) > 1]


def table(trials: list[Trial], varied: list[str], stage: str) -> str:
    """Markdown: a row per trial, best first, with the varied parameters and the stage's metrics that differ."""
    names = [name for name in trials[0].metrics if name.startswith(f"{stage}.")]
    names = [name for name in names if len({trial.metrics.get(name) for trial in trials}) > 1]
    rows = [["experiment", *(name.split(".", 1)[1] for name in (*varied, *names))]]
    rows.append(["---"] * len(rows[0]))
    for trial in trials:
        values = [trial.metrics.get(name) for name in names]
        metrics = ["" if value is None else f"{value:.4g}" for value in values]
        rows.append([f"`{trial.name}`", *(str(trial.params.get(name)) for name in varied), *metrics])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def study_of(trials: list[Trial], varied: list[str], metric: str) -> Study:
    """The trials as an Optuna study; each parameter is a choice among the values that were tried."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    choices = {name: sorted({plain(trial.params.get(name)) for trial in trials}, key=order) for name in varied}
    distributions: Any = {name: optuna.distributions.CategoricalDistribution(tried) for name, tried in choices.items()}
    study = optuna.create_study()
    for trial in trials:
        params = {name: plain(trial.params.get(name)) for name in varied}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, value=trial.metrics[metric])
        )
    return study


def plain(value: Any) -> Any:
    """A value in a form that Optuna accepts as a choice."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def order(value: Any) -> tuple[bool, Any]:
    """Sort key: numbers by size, before anything else by its text."""
    return (False, value) if isinstance(value, int | float) else (True, str(value))


def importances(study: Study) -> str:
    """Markdown: the fraction of the metric's variance that each parameter explains.

    By functional ANOVA (F. Hutter et al., "An Efficient Approach for Assessing Hyperparameter Importance", 2014).
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    fractions = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    rows = "".join(f"| `{name}` | {fraction:.2f} |\n" for name, fraction in fractions.items())
    return f"| parameter | importance (fANOVA, {len(study.trials)} runs) |\n| --- | --- |\n{rows}"


def curves(trials: list[Trial], varied: list[str], stage: str, out: Path) -> list[Path]:
    """Draw two PNGs: `training.png` with the training losses, and `validation.png`."""
    by_label = {f"{label(trial, varied)} ({trial.name})": history(trial, stage) for trial in trials}
    histories = {text: rows for text, rows in by_label.items() if rows is not None}
    columns = dict.fromkeys(column for rows in histories.values() for column in rows if column not in AXES)
    return [
        draw_curves(histories, names, out / file)
        for checked, file in CURVES.items()
        if (names := [column for column in columns if column.startswith("val_") == checked])
    ]


def label(trial: Trial, varied: list[str]) -> str:
    return ", ".join(f"{name.split('.', 1)[1]} {trial.params.get(name)}" for name in varied)


def history(trial: Trial, stage: str) -> DataFrame | None:
    """History of a trial; None if its stage writes none."""
    import pandas

    file = f"{trial.rev}:metrics/{stage}/history.tsv"
    result = subprocess.run(["git", "show", file], capture_output=True, text=True)
    return None if result.returncode else pandas.read_csv(io.StringIO(result.stdout), sep="\t")


def draw_curves(histories: dict[str, DataFrame], names: list[str], path: Path) -> Path:
    """Draw a plot for each name, with a line for each history."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(10, 5 * len(names)), 5), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for text, rows in histories.items():
            if name in rows:
                points = rows[["step", name]].dropna()
                axes.plot(points["step"], points[name], label=text, marker="." if len(points) < FEW else None)
        axes.set(title=name, xlabel="step")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    figure.savefig(path, dpi=80)
    return path


def parallel(study: Study, metric: str, out: Path) -> list[Path]:
    """Draw parallel coordinates, a line per trial: static (PNG) and interactive (HTML)."""
    import optuna.visualization
    import optuna.visualization.matplotlib
    from matplotlib.figure import Figure

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        axes = optuna.visualization.matplotlib.plot_parallel_coordinate(study, target=None, target_name=metric)
    figure = cast(Figure, axes.figure)
    figure.set_size_inches(9, 5)
    figure.savefig(out / "parallel.png", dpi=80, bbox_inches="tight")
    page = optuna.visualization.plot_parallel_coordinate(study, target_name=metric)
    page.write_html(out / "parallel.html", include_plotlyjs=True)
    return [out / "parallel.png", out / "parallel.html"]
