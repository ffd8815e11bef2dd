"""Real tables that people in the field know: job training and earnings, smoking and weight."""

from __future__ import annotations

from typing import Any

from suppose.core.errors import DataError, nearest
from suppose.datasets.shipped import read_shipped

__all__ = ["load_jobs", "load_nhefs"]

JOBS_GROUPS = ("experiment", "cps-controls", "observational")


def load_jobs(group: str = "experiment", *, frame: str = "pandas") -> Any:
    """Job training and later earnings: the LaLonde data in the sample of Dehejia and Wahba.

    Parameters
    ----------
    group : {"experiment", "cps-controls", "observational"}
        ``"experiment"``: the 185 men given the training and the 260 men not given it, drawn by lot.
        ``"cps-controls"``: 15,992 men of the Current Population Survey, none of them in the programme.
        ``"observational"``: the 185 trained men beside those 15,992, as if there had been no experiment.
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        Columns ``treat`` (0 or 1), ``age`` and ``educ`` (years), ``black``, ``hisp``, ``marr``,
        ``nodegree`` (0 or 1), ``re74``, ``re75``, ``re78`` (earnings of the year, US dollars of 1982).

    Raises
    ------
    DataError
        ``unknown-group``, ``unknown-frame`` or ``frame-not-installed``.

    Notes
    -----
    In the experiment the difference of mean earnings in 1978 is 1,794 dollars; between the trained men
    and the survey it is -8,498 dollars. A method that has only the second table is judged by how near
    it comes to the first figure.

    References
    ----------
    R. LaLonde, Evaluating the Econometric Evaluations of Training Programs with Experimental Data,
    American Economic Review 76 (1986), 604-620. R. Dehejia and S. Wahba, Causal Effects in
    Nonexperimental Studies, Journal of the American Statistical Association 94 (1999), 1053-1062.

    Examples
    --------
    >>> for group in ("experiment", "observational"):
    ...     mean = load_jobs(group).groupby("treat")["re78"].mean()
    ...     print(f"{group}: {mean[1] - mean[0]:.0f} dollars")
    experiment: 1794 dollars
    observational: -8498 dollars
    """
    if group not in JOBS_GROUPS:
        raise DataError(
            "unknown-group", f"expected one of {', '.join(map(repr, JOBS_GROUPS))}, got {group!r}",
            where="argument 'group'", remedy=nearest(str(group), JOBS_GROUPS) or None,
        )  # fmt: skip
    return read_shipped(f"jobs/{group}", frame)


def load_nhefs(*, complete: bool = True, frame: str = "pandas") -> Any:
    """Giving up smoking and weight: the NHANES I Epidemiologic Follow-up Study.

    Parameters
    ----------
    complete : bool
        True: the 1,566 smokers of 1971 whose weight was taken again in 1982. False: all 1,629, those
        lost to follow-up with a missing ``wt82`` and ``wt82_71``.
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        64 columns under the names of the study's codebook, among them ``qsmk`` (1: stopped smoking),
        ``wt82_71`` (weight change, kg), ``sex``, ``race``, ``age`` (years), ``education``,
        ``smokeintensity`` (cigarettes a day), ``smokeyrs`` (years), ``exercise``, ``active``, ``wt71``
        (kg). ``dataset_info("nhefs").columns`` explains each.

    Raises
    ------
    DataError
        ``unknown-frame`` or ``frame-not-installed``.

    References
    ----------
    US Centers for Disease Control and Prevention, wwwn.cdc.gov/nchs/nhanes/nhefs. M. Hernan and
    J. Robins, Causal Inference: What If (2020), chapter 12, where the unadjusted difference is 2.5 kg
    and the adjusted effect about 3.4 kg.

    Examples
    --------
    >>> mean = load_nhefs().groupby("qsmk")["wt82_71"].mean()
    >>> print(f"{mean[1] - mean[0]:.2f} kg")
    2.54 kg
    """
    import narwhals as nw

    table = read_shipped("nhefs", frame)
    if not complete:
        return table
    whole = nw.from_native(table, eager_only=True).drop_nulls(subset=["wt82"])
    return nw.maybe_reset_index(whole).to_native()
