"""Words of golden values and proposals."""

from django import template

from txt_dashboard_panel.panels.baselines.words import TABLES

register = template.Library()


@register.simple_tag
def golden_word(table: str, code: object) -> str:
    """The word for a code of the service; one that is not known is shown as it is."""
    return str(TABLES[table].get(str(code), code))
