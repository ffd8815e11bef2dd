"""The 38 published systems of the library: what each answers, the paper behind it, the way to reach it.

One record per system, in the order of the rooms that hold them. ``available`` says whether this version
delivers the system; the rest of the record is settled, so that study files and links can rely on it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from suppose.core.errors import StudyError, nearest

__all__ = ["System", "system", "systems"]


@dataclass(frozen=True)
class System:
    """One published system.

    Attributes
    ----------
    slug : str
        Its name on the command line, in ``suppose reproduce <slug>`` and in the docs.
    title : str
        Its name in running text.
    room : str
        The part of the library that holds its method, such as ``"effects"``.
    question : str
        The kind of study that reaches it: ``question = "<kind>"`` opens the study file.
    arxiv : str
        Number of the paper on arXiv.
    paper : str
        Title of the paper, and where and when it appeared.
    answers : str
        What it answers, in one plain sentence.
    available : bool
        Whether this version delivers it.
    """

    slug: str
    title: str
    room: str
    question: str
    arxiv: str
    paper: str
    answers: str
    available: bool = False

    @property
    def url(self) -> str:
        """Address of the paper."""
        return f"https://arxiv.org/abs/{self.arxiv}"

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-ready data."""
        return asdict(self) | {"url": self.url}

    def __str__(self) -> str:
        state = "available" if self.available else "planned"
        return f"{self.slug} ({self.room}, {state}): {self.answers}"


def systems(*, available: bool | None = None) -> tuple[System, ...]:
    """All systems, or only those that this version has (True) or has not (False).

    Examples
    --------
    >>> len(systems())
    38
    >>> [item.slug for item in systems() if item.question == "survival"]
    ['flexible-survival']
    """
    return tuple(item for item in SYSTEMS if available is None or item.available is available)


def system(slug: str) -> System:
    """The system of this name.

    Raises
    ------
    StudyError
        ``unknown-system`` when there is none; the nearest names are given.

    Examples
    --------
    >>> print(system("soap").paper)
    SOAP: Improving and Stabilizing Shampoo using Adam (ICLR 2025)
    >>> system("panel-dm")
    Traceback (most recent call last):
        ...
    suppose.core.errors.StudyError: system 'panel-dm': no system of this name. Did you mean 'panel-dml'?
    """
    for item in SYSTEMS:
        if item.slug == slug:
            return item
    raise StudyError(
        "unknown-system",
        "no system of this name",
        where=f"system {slug!r}",
        remedy=nearest(slug, [item.slug for item in SYSTEMS]) or "`suppose list` shows all of them.",
    )


# fmt: off
SYSTEMS: tuple[System, ...] = (
    System(
        "transtee", "TransTEE",
        "effects", "effect", "2202.01336",
        "Exploring Transformer Backbones for Heterogeneous Treatment Effect Estimation (2022)",
        "What would this unit's outcome be under another treatment, another dose, or another treated "
        "object?",
        available=True,
    ),
    System(
        "ivl-augmentation", "IV-like augmentation",
        "effects", "augmented-effect", "2510.25128",
        "An Analysis of Causal Effect Estimation using Outcome Invariant Data Augmentation (NeurIPS 2025)",
        "What would the outcome be if the input were set, when a hidden cause moves both but some changes "
        "of the input are known to leave the outcome alone?",
        available=True,
    ),
    System(
        "panel-dml", "Double machine learning for panels",
        "effects", "panel", "2409.01266",
        "Double Machine Learning meets Panel Data: Promises, Pitfalls, and Potential Solutions (2024)",
        "What if the treatment of these firms, people or countries changed, when each has its own level "
        "that nobody observed?",
        available=True,
    ),
    System(
        "flexible-survival", "Flexible parametric survival",
        "effects", "survival", "1901.03212",
        "A Flexible Parametric Modelling Framework for Survival Analysis (JRSS C 2020)",
        "How would survival change under the other treatment, when hazards need not be proportional and "
        "some patients may be cured?",
        available=True,
    ),
    System(
        "mode-effects", "Survey mode effects",
        "effects", "survey", "2510.00900",
        "How can the use of different modes of survey data collection introduce bias? A simple introduction "
        "to mode effects using directed acyclic graphs (2025)",
        "What if part of the sample had answered in another mode, and does adjusting for the mode help or "
        "hurt?",
        available=True,
    ),
    System(
        "deconfound-lm", "DeconfoundLM",
        "effects", "text-effect", "2506.00152",
        "Aligning Language Models with Observational Data: Opportunities and Risks from a Causal "
        "Perspective (2025)",
        "What would the clicks have been if the text had been different and everything else the same?",
    ),
    System(
        "eo-confounding", "Image deconfounding",
        "effects", "image-effect", "2301.12985",
        "Integrating Earth Observation Data into Causal Inference: Challenges and Opportunities (2023)",
        "What did the programme change, when officials chose the places by what they looked like?",
    ),
    System(
        "image-heterogeneity", "Image-based effect heterogeneity",
        "effects", "image-effect", "2206.06417",
        "Image-based Treatment Effect Heterogeneity (CLeaR 2023)",
        "For which kinds of place, told apart by their images, does the programme work?",
    ),
    System(
        "eo-development", "Aid placement and wealth from imagery",
        "effects", "image-effect", "2509.25648",
        "Chinese vs. World Bank Development Projects: Insights from Earth Observation and Computer Vision "
        "on Wealth Gains in Africa, 2002-2013 (2025)",
        "What did this funder's projects in this sector do to local wealth, and how predictable was where "
        "they went?",
    ),
    System(
        "string-diagrams", "String-diagram surgery",
        "graphs", "intervention", "1811.08338",
        "Causal Inference by String Diagram Surgery (FoSSaCS 2019)",
        "What would one variable be if another were set, and can the data at hand tell at all?",
        available=True,
    ),
    System(
        "causal-de-finetti", "Causal de Finetti",
        "discovery", "discovery", "2203.15756",
        "Causal de Finetti: On the Identification of Invariant Causal Structure in Exchangeable Data "
        "(NeurIPS 2023)",
        "Which variable drives which, when there are many groups and only a few rows in each?",
    ),
    System(
        "causal-dropout", "Discovery under dropouts",
        "discovery", "discovery", "2403.15500",
        "Gene Regulatory Network Inference in the Presence of Dropouts: a Causal View (ICLR 2024)",
        "Which genes drive which, when many zeros are only failures of the instrument?",
    ),
    System(
        "compositional-partial-correlations", "Compositional partial correlations",
        "discovery", "discovery", "1904.09480",
        "Partial Correlations in Compositional Data Analysis (Applied Computing and Geosciences 2020)",
        "Which parts of a whole move together once the other parts are held fixed, when only shares are "
        "seen?",
    ),
    System(
        "latent-capabilities", "Latent capabilities",
        "discovery", "discovery", "2506.10378",
        "Discovering Hierarchical Latent Capabilities of Language Models via Causal Representation Learning "
        "(2025)",
        "If one ability of a family of models is raised, which other abilities move with it?",
    ),
    System(
        "onelife", "OneLife",
        "worlds", "world", "2510.12088",
        "One Life to Learn: Inferring Symbolic World Models for Stochastic Environments from Unguided "
        "Exploration (ICLR 2026)",
        "If this action were taken in this situation, what could happen next, and which of two plans would "
        "end better?",
        available=True,
    ),
    System(
        "hgf", "Generalised hierarchical Gaussian filter",
        "worlds", "beliefs", "2410.09206",
        "pyhgf: A neural network library for predictive coding (2024)",
        "What would an agent believe, and how fast would it learn, if the world were more volatile or its "
        "senses less trusted?",
    ),
    System(
        "psi", "Probabilistic structure integration",
        "worlds", "scene", "2509.09737",
        "World Modeling with Probabilistic Structure Integration (2025)",
        "What happens to the rest of the scene if this patch moves there or the camera slides left?",
    ),
    System(
        "domain-counterfactuals", "Domain counterfactuals",
        "worlds", "domain", "2306.11281",
        "Towards Characterizing Domain Counterfactuals For Invertible Latent Causal Models (ICLR 2024)",
        "What would this very sample have looked like, had it come from another hospital, camera or season?",
    ),
    System(
        "consciousness-prior", "Consciousness prior",
        "worlds", "bottleneck", "1709.08568",
        "The Consciousness Prior (2017)",
        "What if a model had to make every prediction from a thought of only a few elements?",
    ),
    System(
        "soap", "SOAP",
        "training", "optimizer", "2409.11321",
        "SOAP: Improving and Stabilizing Shampoo using Adam (ICLR 2025)",
        "What if the network were trained with another optimizer: how many fewer steps, and how much less "
        "time, to the same loss?",
    ),
    System(
        "train-once", "Train once, answer all",
        "training", "pretraining", "2509.23383",
        "Train Once, Answer All: Many Pretraining Experiments for the Cost of One (ICLR 2026)",
        "What if the training data had also contained this, asked many times over in a single training run?",
    ),
    System(
        "pretrainers-guide", "A pretrainer's guide",
        "training", "pretraining", "2305.13169",
        "A Pretrainer's Guide to Training Data: Measuring the Effects of Data Age, Domain Coverage, "
        "Quality, & Toxicity (NAACL 2024)",
        "What if the model had been pretrained on older data, filtered harder, or without one of its "
        "sources?",
    ),
    System(
        "front-loading", "Front-loading reasoning",
        "training", "pretraining", "2510.03264",
        "Front-Loading Reasoning: The Synergy between Pretraining and Post-Training Data (2025)",
        "What if the reasoning data went into pretraining instead of fine-tuning: can a later stage catch "
        "up?",
    ),
    System(
        "unsupervised-pretraining", "Unsupervised pretraining advantage",
        "training", "pretraining-advantage", "2303.01566",
        "On the Provable Advantage of Unsupervised Pretraining (ICLR 2024)",
        "What if one pretrained on unlabelled examples first: how many until it beats learning from labels "
        "alone?",
    ),
    System(
        "rich-lazy", "Rich and lazy learning",
        "training", "learning-regime", "2310.08513",
        "How connectivity structure shapes rich and lazy learning in neural circuits (ICLR 2024)",
        "What if this network had started from other weights: would training change it more, or less?",
    ),
    System(
        "power-law-rehearsal", "Power-law rehearsal",
        "training", "rehearsal", "2401.10393",
        "Catastrophic Interference is Mitigated in Naturalistic Power-Law Learning Environments (2024)",
        "What if old tasks came back ever more rarely, as they do in life: how much would the network still "
        "forget?",
    ),
    System(
        "influence-functions", "Influence functions with EK-FAC",
        "probing", "influence", "2308.03296",
        "Studying Large Language Model Generalization with Influence Functions (2023)",
        "What if this training example had been left out: how would the model's answer change?",
    ),
    System(
        "localization-editing", "Localization against editing",
        "probing", "edit", "2301.04213",
        "Does Localization Inform Editing? Surprising Differences in Causality-Based Localization vs. "
        "Knowledge Editing in Language Models (NeurIPS 2023)",
        "If a fact were edited at this layer, would the edit hold, and does tracing the fact help to choose "
        "the layer?",
    ),
    System(
        "essential-sparsity", "Essential sparsity",
        "probing", "prune", "2306.03805",
        "The Emergence of Essential Sparsity in Large Pre-trained Models: The Weights that Matter (NeurIPS "
        "2023)",
        "What if the smallest weights of a model had been zero all along: up to which share does nothing of "
        "value change?",
    ),
    System(
        "icl-strategies", "In-context learning strategies",
        "probing", "in-context", "2506.17859",
        "In-Context Learning Strategies Emerge Rationally (NeurIPS 2025)",
        "What would a sequence model do after more training or with more varied tasks: recall the tasks it "
        "saw, or generalise?",
    ),
    System(
        "pavlovian-attention", "Attention as Pavlovian conditioning",
        "probing", "associative-memory", "2508.08289",
        "Understanding Transformers through the Lens of Pavlovian Conditioning (2025)",
        "How many associations can one attention head hold before they disturb each other, and what if it "
        "learned by another rule?",
    ),
    System(
        "attention-causality", "Attention causality",
        "probing", "attention", "2410.04780",
        "Mitigating Modality Prior-Induced Hallucinations in Multimodal Large Language Models via "
        "Deciphering Attention Causality (ICLR 2025)",
        "What would the model have answered, had its attention not looked where it looked?",
    ),
    System(
        "easycontrol", "EasyControl",
        "generation", "control", "2503.07027",
        "EasyControl: Adding Efficient and Flexible Control for Diffusion Transformer (2025)",
        "What would this frozen image model have drawn, had it also been given this edge map, depth or "
        "subject?",
    ),
    System(
        "unicon", "UniCon",
        "generation", "joint-generation", "2410.11439",
        "A Simple Approach to Unifying Diffusion-based Conditional Generation (ICLR 2025)",
        "Which image fits this depth map, which depth map fits this image, and what would both be together?",
    ),
    System(
        "emulated-finetuning", "Emulated fine-tuning",
        "generation", "emulation", "2310.12962",
        "An Emulator for Fine-Tuning Large Language Models using Small Language Models (ICLR 2024)",
        "What would this large model have said, if it had been fine-tuned the way a small one was?",
    ),
    System(
        "episodic-bonuses", "Global and episodic bonuses",
        "agents", "exploration", "2306.03236",
        "A Study of Global and Episodic Bonuses for Exploration in Contextual MDPs (ICML 2023)",
        "What would an agent have learned, had novelty been counted within the episode, over the whole run, "
        "or both?",
    ),
    System(
        "lipschitz-gail", "Lipschitz-regularised imitation",
        "agents", "imitation", "2006.16785",
        "Lipschitzness Is All You Need To Tame Off-policy Generative Adversarial Imitation Learning "
        "(Machine Learning 2022)",
        "If the learned reward were forced to be smooth, would the imitator learn?",
    ),
    System(
        "canon", "CANON",
        "agents", "advantage", "2509.23962",
        "Conditional Advantage Estimation for Reinforcement Learning in Large Reasoning Models (ICLR 2026)",
        "Would more, or less, of a property of the answer pay off for this question?",
    ),
)
# fmt: on
