"""The schema of card.yaml and claims.yaml: strict, frozen, no unknown keys. The editors' JSON Schema comes from it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    RootModel,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from literatim.errors import LiteratimError
from literatim.registry.printed import number

Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
# A card from elsewhere cannot make us import anything but the collection's own code.
ImportPath = Annotated[
    str, StringConstraints(pattern=r"^literatim\.(papers|datasets)(\.[a-z_][a-z0-9_]*)+:[A-Za-z_][A-Za-z0-9_]*$")
]
Number = int | float


def misplaced(what: str, *at: str | int) -> PydanticCustomError:
    """A fault that a validator of the whole finds in one of its parts: `at` leads to its line."""
    return PydanticCustomError("misplaced", "{what}", {"what": what, "at": at})


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class Text(Strict):
    """Whatever we say in our own words."""

    en: str
    zh: str | None = None

    def filled(self, row: Text) -> Text:
        """With the name of a table's row in place of `{row}`."""
        zh = row.zh or row.en
        return Text(en=self.en.replace("{row}", row.en), zh=self.zh and self.zh.replace("{row}", zh))


class Venue(Strict):
    """Where it was published: the fields of a BibTeX entry."""

    type: Literal["article", "inproceedings", "book", "phdthesis", "techreport", "misc"]
    name: str
    volume: str | None = None
    number: str | None = None
    pages: str | None = None
    publisher: str | None = None

    def __str__(self) -> str:
        issue = f" {self.volume}" if self.volume else ""
        issue += f"({self.number})" if self.number else ""
        return self.name + issue + (f", {self.pages}" if self.pages else "")


class Source(Strict):
    """A witness: one text of the paper in which claims were read."""

    is_: Text | str = Field(alias="is")
    note: Text | None = None


class Predecessor(Strict):
    """A work the paper builds on: a paper of the collection (`id`) or one outside it (title and DOI)."""

    id: Word | None = None
    title: str | None = None
    doi: str | None = None
    year: int | None = None
    takes: Text

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.id is None) == (self.title is None):
            raise ValueError("give either the id of a paper in the collection or the title of one outside it")
        return self


class Variant(Strict):
    """A network the paper describes, by the paper's own name for it."""

    model: ImportPath
    # Shape of one example without the batch; a mapping where the paper has two networks (generator, discriminator).
    input: tuple[int, ...] | dict[str, tuple[int, ...]]
    words: bool = False  # the first network's inputs are one-hot; it takes indices, a whole number a step, too
    with_: dict[str, Any] = Field(default={}, alias="with")
    faithful: bool = True
    where: str | None = None


class Expectation(Strict):
    metric: Word
    at_most: Number | None = None
    at_least: Number | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give one of at_most and at_least")
        return self

    def met(self, value: float) -> bool:
        return value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0)

    def __str__(self) -> str:
        most = self.at_most is not None
        return f"{self.metric} at {'most' if most else 'least'} {self.at_most if most else self.at_least}"


class Deviation(Strict):
    """One thing a recipe does otherwise than the paper. `harmless` says by what evidence it changes no result."""

    paper: Text
    ours: Text
    why: Text
    harmless: Text | None = None
    options: tuple[str, ...] = ()  # of the recipe that are otherwise by it, such as `data.batch_size`


class Recipe(Strict):
    about: Text
    data: Word
    variants: tuple[Word, ...] = ()  # none: the card's default variant
    expects: Expectation | None = None
    # The weights of seed 0 go into papers/<id>/weights/; rounded to half precision where there are millions.
    ships_weights: bool | Literal["float16"] = False
    lines: dict[Word, str] = {}  # a panel of the curves, such as score -> the claim whose number is drawn there
    deviations: tuple[Deviation, ...] = ()


class Open(Strict):
    """What the paper leaves unsaid, and what we chose."""

    where: str
    lacks: Text
    chosen: Text | str | Number | bool
    why: Text


class Setting(Strict):
    """What the paper has for an option of the recipes, and where; or that it leaves it (`open`), or cannot speak of it,
    since only our way of doing it has such an option (`ours`)."""

    is_: JsonValue = Field(default=None, alias="is")
    where: str | None = None
    left: Literal["open", "ours"] | None = None
    of: tuple[Word, ...] = ()  # recipes or variants; none: of all

    @model_validator(mode="after")
    def _said_or_left(self) -> Self:
        said = "is_" in self.model_fields_set  # null is something to say; a card as JSON says it where nothing was
        if bool(self.where) == bool(self.left) or (self.where and not said) or (self.left and self.is_ is not None):
            raise ValueError("give what the paper has in `is`, and `where`; or how it is `left`: open or ours")
        return self


# Told apart by hand, as rows are.
Settings = Annotated[
    Annotated[Setting, Tag("one")] | Annotated[tuple[Setting, ...], Tag("several")],
    Discriminator(lambda cell: "several" if isinstance(cell, list | tuple) else "one"),
]


class Compared(Strict):
    """What the authors' code or a popular implementation does otherwise; `check` returns True while that is so."""

    with_: Text | str = Field(alias="with")  # a library's name stands for itself
    differs: Text
    check: ImportPath


class Picture(Strict):
    """A picture of the weights that a demo runs on."""

    draw: ImportPath  # a function of the weights' file that returns a matplotlib figure
    shows: Text


class Demo(Strict):
    """What runs in the paper's page, driven by a script of the site: a network, exported with its weights, or the
    weights alone, which the script then gets as they are."""

    script: Word  # docs/assets/<script>.js
    network: ImportPath | None = None  # a module around the loaded model; its `outputs` name what it returns
    weights: Word  # papers/<id>/weights/<weights>.safetensors
    beside: tuple[Word, ...] = ()  # other weights of the paper, which the script gets after these
    about: Text
    picture: Picture | None = None
    vectors: ImportPath | None = None  # a function of the weights' file that returns words with their vectors
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")  # of weights that no record speaks of


class Card(Strict):
    schema_: Literal[1] = Field(alias="schema")
    id: Word
    name: str | None = None  # what people call it, where that is not the id
    aliases: tuple[Word, ...] = ()
    title: str
    authors: tuple[str, ...] = Field(min_length=1)
    year: int = Field(ge=1800, le=2100)
    venue: Venue
    doi: str | None = None
    arxiv: str | None = Field(default=None, pattern=r"^\d{4}\.\d{4,5}$")
    bibtex: Word
    topics: tuple[Word, ...] = Field(min_length=1)
    sources: dict[Word, Source] = Field(min_length=1)
    summary: Text
    builds_on: tuple[Predecessor, ...] = ()
    introduces: tuple[Text, ...] = ()
    variants: dict[Word, Variant] = {}
    variant_aliases: dict[Word, Word] = {}  # what others call a variant
    training: ImportPath | None = None
    error_unit: Literal["%", ""] = "%"  # of metrics that end in _error: per cent, or what the network's outputs are in
    recipes: dict[Word, Recipe] = {}
    settings: dict[str, Settings] = {}  # by option, such as `model.lr`
    open: tuple[Open, ...] = ()
    compared: tuple[Compared, ...] = ()
    demo: Demo | None = None

    @property
    def default_variant(self) -> str:
        if not self.variants:
            raise LiteratimError(f"{self.id} has no model in this collection")
        return next(iter(self.variants))

    def setting(self, option: str) -> tuple[Setting, ...]:
        """What the card says of an option of the recipes."""
        found = self.settings.get(option, ())
        return (found,) if isinstance(found, Setting) else found

    def recipe_variants(self, recipe: str) -> tuple[str, ...]:
        return self.recipes[recipe].variants or (self.default_variant,)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.recipes and not (self.training and self.variants):
            raise ValueError("a card with recipes needs a training module and a variant to train")
        for alias, variant in self.variant_aliases.items():
            if variant not in self.variants:
                raise misplaced(f'the card has no variant "{variant}"', "variant_aliases", alias)
        for name, recipe in self.recipes.items():
            for variant in recipe.variants:
                if variant not in self.variants:
                    raise misplaced(f'the card has no variant "{variant}"', "recipes", name, "variants")
        known = [*self.recipes, *self.variants]
        for option in self.settings:
            for name in (name for entry in self.setting(option) for name in entry.of if name not in known):
                raise misplaced(f'the card has no recipe and no variant "{name}"', "settings", option)
        return self


class Tolerance(Strict):
    is_: Number = Field(alias="is", ge=0)
    why: Text


class Measure(Strict):
    """A quantity read off the built model; of the whole network where no module is named."""

    what: Literal["parameters", "neurons", "connections", "multiply_adds", "output_shape"]
    variant: Word
    module: str | None = None
    with_: dict[str, Any] = Field(default={}, alias="with")


class Result(Strict):
    """A quantity read from the recorded runs: the mean (or the best) over the seeds, at the end or after an epoch."""

    recipe: Word
    variant: Word
    metric: Word
    of: Literal["mean", "best"] = "mean"
    epoch: int | None = Field(default=None, ge=1)
    all_trials: bool = False  # the paper's mean is over all trials of a family: there is none where some never learned
    minus: Result | None = None  # of the two the difference
    per: Result | None = None  # of the two the ratio

    @model_validator(mode="after")
    def _one_other(self) -> Self:
        if self.minus and self.per:
            raise ValueError("a result is compared by `minus` or by `per`, not by both")
        return self


class Erratum(Strict):
    """The printed number cannot follow from the printed design: the one that does, and a proof that reckons with what
    is printed, not with the model.

    For a claim with no number the proof returns True where the paper is shown to err.
    """

    value: Number | tuple[int, ...] | None = None
    why: Text
    proof: ImportPath
    consequence_of: Word | None = None  # another erratum, `<claim>` or `<claim>.<row>`, whose slip makes this one


class Unexplained(Strict):
    """The printed number differs from what the printed design gives, and nobody knows why."""

    value: Number | tuple[int, ...]  # what the design gives
    why: Text  # what was tried


class Row(Strict):
    """One row of a printed table; what it leaves out is the claim's."""

    name: Text | None = None  # what the row is called in `states`, where its key does not say it
    printed: str | None = None
    follows_from: Text | None = None
    value: Number | tuple[int, ...] | None = None
    cut_off: bool | None = None
    where: str | None = None
    source: Word | None = None
    module: str | None = None
    recipe: Word | None = None
    variant: Word | None = None
    metric: Word | None = None
    of: Literal["mean", "best"] | None = None
    relation: Relation | None = None
    tolerance: Tolerance | None = None
    erratum: Erratum | None = None
    unexplained: Unexplained | None = None
    not_attempted: Text | None = None


Relation = Literal["equals", "at_most", "at_least", "less_than", "more_than"]
# Told apart by hand, so that a fault in a row is not also reported as "should be a string".
TextOrRow = Annotated[
    Annotated[str, Tag("text")] | Annotated[Row, Tag("row")],
    Discriminator(lambda cell: "row" if isinstance(cell, dict | Row) else "text"),
]


class Claim(Strict):
    id: Word
    kind: Literal["structural", "behavioural", "empirical"]
    where: str
    source: Word
    states: Text
    printed: str | None = None  # the paper's own string
    # In place of `printed`: from which printed numbers we have worked out `value`, and how.
    follows_from: Text | None = None
    # What the check reckons from where it reads no model, recipe, data or record: the paper's arithmetic, done again.
    reckoned_from: Text | None = None
    value: Number | tuple[int, ...] | None = None  # what `printed` means, where it is not a plain number
    cut_off: bool = False  # `printed` is ours with its further digits cut off, where rounding would give another
    relation: Relation = "equals"
    tolerance: Tolerance | None = None
    measure: Measure | None = None
    check: ImportPath | None = None
    argument: Word | None = None  # what the check is called with: a row of a table of checks
    result: Result | None = None
    trains: bool = False  # takes seconds: run by name or with --kind behavioural
    erratum: Erratum | None = None
    unexplained: Unexplained | None = None
    not_attempted: Text | None = None
    # What a table's row keys stand for; `check`: the check is called with them.
    over: Literal["module", "variant", "metric", "check"] | None = None
    rows: dict[Word, TextOrRow] | None = None

    @field_validator("printed")
    @classmethod
    def _not_empty(cls, printed: str | None) -> str | None:
        if printed is not None and not printed.strip():
            raise ValueError("leave `printed` out where the paper prints nothing")
        return printed

    @model_validator(mode="after")
    def _whole(self) -> Self:
        how = [name for name in ("measure", "check", "result") if getattr(self, name) is not None]
        if len(how) != 1:
            raise ValueError("a claim needs exactly one of measure, check and result")
        if (self.kind == "empirical") != (how == ["result"]):
            raise ValueError("empirical claims are read from results, the others from a measure or a check")
        if self.erratum and self.unexplained:
            raise ValueError("a claim is an erratum or unexplained, not both")
        if self.not_attempted and self.kind != "empirical":
            raise ValueError("only an empirical claim can be not attempted")
        if self.argument is not None and how != ["check"]:
            raise ValueError("an argument is for a check")
        if self.rows is None and self.over is None:
            self._number_is_sound()
            if self.printed is None and self.value is None and how == ["measure"]:
                raise ValueError("a measure needs the number it is compared with: `printed`")
            if self.value is None and self.printed is not None and how != ["check"] and not number(self.printed):
                raise ValueError(f'"{self.printed}" is no plain number: say what it means in `value`')
        elif not (self.rows and self.over) or self.printed is not None or self.argument is not None:
            raise ValueError("a table has `over` and `rows`, and prints in its rows")
        elif (how == ["check"]) != (self.over == "check"):
            raise ValueError("a table of a check is over `check`, and only that")
        for key in self.rows or ():
            try:
                self._row(key)
            except ValidationError as error:
                raise misplaced(error.errors()[0]["msg"].removeprefix("Value error, "), "rows", key) from None
        return self

    def _number_is_sound(self) -> None:
        """Where the number comes from, and how far it is known."""
        if self.follows_from and self.printed is not None:
            raise ValueError("a number is `printed`, or it `follows_from` printed ones, not both")
        if self.follows_from and self.value is None:
            raise ValueError("a number that `follows_from` printed ones is given in `value`")
        if self.reckoned_from and not self.check:
            raise ValueError("`reckoned_from` says what a `check` reckons from; this claim has none")
        if self.follows_from and self.erratum:
            raise ValueError("an erratum is in what is printed, not in what we work out from it")
        if self.cut_off and not (self.printed and number(self.printed) and isinstance(self.stated, int | float)):
            raise ValueError("only a printed number is cut off: give it in `printed`, and what it means in `value`")
        if self.cut_off and (self.result or self.relation != "equals"):
            raise ValueError("a number is cut off where ours is counted or checked, and the relation is `equals`")
        if self.cut_off and (self.tolerance or self.erratum or self.unexplained):
            raise ValueError("a number cut off needs no tolerance, and is neither an erratum nor unexplained")

    @property
    def stated(self) -> float | tuple[int, ...] | None:
        """The paper's value: a number, a shape, or None where it states none."""
        if self.value is not None:
            return self.value
        parsed = number(self.printed) if self.printed else None
        return parsed[0] if parsed else None

    @property
    def slack(self) -> float:
        """The tolerance: the card's, or half the last digit of what is printed, or of what we worked out from it; none
        for `less_than` and `more_than`."""
        if self.tolerance:
            return self.tolerance.is_
        if self.relation in ("less_than", "more_than"):
            return 0.0
        digits = repr(self.value) if self.follows_from else self.printed if self.value is None else None
        parsed = number(digits) if digits else None
        return parsed[1] / 2 if parsed else 0.0

    def expanded(self) -> tuple[Claim, ...]:
        """The claim itself, or one claim for each row of its table, called `<id>.<row>`."""
        return (self,) if self.rows is None else tuple(self._row(key) for key in self.rows)

    def _row(self, key: str) -> Claim:
        base, row = self.model_dump(exclude={"rows", "over"}, exclude_none=True), (self.rows or {})[key]
        cells = {"printed": row} if isinstance(row, str) else row.model_dump(exclude={"name"}, exclude_none=True)
        name = None if isinstance(row, str) else row.name
        if "printed" in cells:
            base.pop("follows_from", None)
        whole = {**base, "id": f"{self.id}.{key}", "states": self.states.filled(name or Text(en=key))}
        if self.check:
            return Claim.model_validate(whole | cells | {"argument": key})
        part = "measure" if self.measure else "result"
        named = {name: cells.pop(name) for name in ("module", "recipe", "variant", "metric", "of") if name in cells}
        return Claim.model_validate(whole | cells | {part: base[part] | {self.over: key} | named})


class Claims(RootModel[tuple[Claim, ...]]):
    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [claim.id for claim in self.root]
        for i, name in enumerate(ids):
            if name in ids[:i]:
                raise misplaced(f'two claims are called "{name}"', i, "id")
            if "." in name:
                raise misplaced("a claim's id has no dot: dots lead to the rows of a table", i, "id")
        self._consequences_have_causes()
        return self

    def _consequences_have_causes(self) -> None:
        errata = {row.id: row.erratum for row in self.expanded() if row.erratum}
        for name, erratum in errata.items():
            cause = errata.get(erratum.consequence_of or name)
            what = f'no erratum is called "{erratum.consequence_of}"' if cause is None else None
            if cause and erratum.consequence_of and cause.consequence_of:
                what = f'"{erratum.consequence_of}" is itself a consequence; name the cause of both'
            if what:
                claim, _, row = name.partition(".")
                at = next(i for i, other in enumerate(self.root) if other.id == claim)
                cell = (self.root[at].rows or {}).get(row)
                rows = ("rows", row) if isinstance(cell, Row) and cell.erratum else ()
                raise misplaced(what, at, *rows, "erratum", "consequence_of")

    def expanded(self) -> tuple[Claim, ...]:
        return tuple(row for claim in self.root for row in claim.expanded())


Row.model_rebuild()
Claim.model_rebuild()
