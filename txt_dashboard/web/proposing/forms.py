"""What a person says of a proposal: words, where and from when to when it shall hold, and what it replaces."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from txt_dashboard.actions.governance.compose import Terms
from txt_dashboard.attest.draft import LONGEST_NAME
from txt_dashboard.attest.reference import Baseline
from txt_dashboard.web.forms import ReasonForm

NO_POOL = "-"  # hosts that are in no pool
ALL, CHOSEN, AS_SAID = "all", "chosen", "said"
_LOCAL = "%Y-%m-%dT%H:%M:%S"  # as browsers take it; they send no seconds where there are none


class Moment(forms.DateTimeField):
    """A moment in UTC, which a browser offers a calendar for."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL)

    def __init__(self, label: Any, help_text: Any = "") -> None:
        formats = [_LOCAL, "%Y-%m-%dT%H:%M"]
        super().__init__(label=label, help_text=help_text, required=False, input_formats=formats)


class WordsForm(ReasonForm):
    """What it is called, and why it is asked for."""

    title = forms.CharField(label=_("Title"), required=False, max_length=200)

    field_order = ("title", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class ScopeForm(forms.Form):
    """The pools that something holds for, and from when to when."""

    scope = forms.ChoiceField(label=_("Holds for"), widget=forms.RadioSelect, required=False)
    pools = forms.MultipleChoiceField(label=_("Pools"), widget=forms.CheckboxSelectMultiple, required=False)
    not_before = Moment(_("From (UTC)"), _("Empty: at once."))
    not_after = Moment(_("Until (UTC)"), _("Empty: no end."))

    def offer_pools(self, pools: Iterable[str], *, as_said: Any = "") -> None:
        """The choices of pools; `as_said` names a third way, where drafts say by themselves where they hold."""
        words = {AS_SAID: as_said, ALL: gettext("all pools"), CHOSEN: gettext("only these pools")}
        self.fields["scope"].choices = [(key, word) for key, word in words.items() if word]  # type: ignore[attr-defined]
        self.fields["pools"].choices = [  # type: ignore[attr-defined]
            (pool or NO_POOL, pool or gettext("no pool")) for pool in sorted(set(pools))
        ]

    def clean(self) -> dict[str, Any]:
        """Nothing ticked must never mean everywhere."""
        said: dict[str, Any] = super().clean() or {}
        if said.get("scope") == CHOSEN and not said.get("pools") and "pools" not in self.errors:
            self.add_error("pools", gettext("Choose at least one pool, or all of them."))
        if said.get("scope") == "":
            self.add_error("scope", gettext("Say where it shall hold."))
        return said

    @property
    def chosen_pools(self) -> frozenset[str] | None:
        """The pools that were chosen; none for all, `None` where drafts say it themselves."""
        said = self.cleaned_data
        if said["scope"] == AS_SAID:
            return None
        chosen = said["pools"] if said["scope"] == CHOSEN else ()
        return frozenset("" if pool == NO_POOL else pool for pool in chosen)


class TermsForm(WordsForm, ScopeForm):
    """All that is said of new baselines."""

    replaces = forms.MultipleChoiceField(
        label=_("Replaces"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("What is ticked ends by the same proposal. Nothing ticked: this adds to what is in force."),
        error_messages={"invalid_choice": _("A baseline that this shall replace is not in force any more.")},
    )
    ends = forms.ChoiceField(
        label=_("What it replaces ends"),
        widget=forms.RadioSelect,
        required=False,
        choices=(("at once", _("as soon as this is in force")), ("date", _("on a date"))),
        initial="at once",
    )
    ends_at = Moment(_("Date (UTC)"))

    def offer_replaced(self, baselines: Sequence[Baseline], closest: str = "") -> None:
        """The baselines that it could replace, the closest first."""
        ranked = sorted(baselines, key=lambda each: (each.id != closest, each.name))
        self.fields["replaces"].choices = [(each.id, _described(each, closest)) for each in ranked]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A date is needed where one was promised."""
        said = super().clean()
        if said.get("replaces") and said.get("ends") == "date" and not said.get("ends_at"):
            self.add_error("ends_at", gettext("Say on which date it ends."))
        return said

    def terms(self, at: datetime) -> Terms:
        """What was said, or what the form begins with; "at once" is `at`."""
        if not self.is_bound:
            pools = frozenset(self.initial.get("pools", ())) if self.initial.get("scope") == CHOSEN else frozenset()
            said = self.initial.get("scope") == AS_SAID
            return Terms(None if said else frozenset("" if pool == NO_POOL else pool for pool in pools))
        said = self.cleaned_data
        return Terms(
            pools=self.chosen_pools,
            not_before=said["not_before"],
            not_after=said["not_after"],
            replaces=frozenset(said["replaces"]),
            ends=said["ends_at"] if said["ends"] == "date" else at,
        )


class NamedForm(TermsForm):
    """The same for one baseline, which gets a name."""

    name = forms.CharField(label=_("Name of the baseline"), required=False, max_length=LONGEST_NAME)


def where(pools: Iterable[str], everywhere: Iterable[str]) -> dict[str, Any]:
    """What a form begins with for values that hosts of these pools show: no wider than they are."""
    shown = set(pools)
    if not shown or shown >= set(everywhere):
        return {"scope": ALL}
    return {"scope": CHOSEN, "pools": [pool or NO_POOL for pool in sorted(shown)]}


def _described(baseline: Baseline, closest: str) -> str:
    pools = ", ".join(each or gettext("no pool") for each in sorted(baseline.pools)) or gettext("all pools")
    parts = [baseline.name, pools]
    if baseline.not_after:
        moment = f"{baseline.not_after.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        parts.append(gettext("until %(moment)s") % {"moment": moment})
    if baseline.id == closest:
        parts.append(gettext("the closest"))
    return " · ".join(parts)
