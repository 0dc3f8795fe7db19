"""Why a host and a hypervisor did not find each other, in words that say what to do."""

from collections.abc import Mapping

from django import template
from django.utils.translation import gettext_lazy

from txt_dashboard.cloud.matching import Why

register = template.Library()

_NO_HOST = {
    Why.NO_HOST: gettext_lazy(
        "No server that counts attests it: enrol it there. Until then it never gets the trait."
    ),
    Why.SEVERAL_HOSTS: gettext_lazy("More than one attested host fits it: leave only one of them under such a name."),
}
_NO_NODE = {
    Why.NO_NODE: gettext_lazy(
        "No hypervisor has this name. If it is a controller or the like, say so; "
        "else attestation server and cloud call it differently."
    ),
    Why.SEVERAL_NODES: gettext_lazy(
        "Its name fits more than one hypervisor: have the attestation server know it by its full name."
    ),
    Why.SEVERAL_HOSTS: gettext_lazy(
        "Another attested host fits the same hypervisor: leave only one of them under such a name."
    ),
    Why.TAKEN_OVER: gettext_lazy(
        "Its name now fits another hypervisor than the one that it was first matched with: "
        "if that is right, release the old one's pin."
    ),
}


@register.filter
def why_no_host(why: str) -> str:
    """Why a hypervisor is no host that we know."""
    return _said(_NO_HOST, why)


@register.filter
def why_no_node(why: str) -> str:
    """Why an attested host is no hypervisor."""
    return _said(_NO_NODE, why)


def _said(sentences: Mapping[Why, object], why: str) -> str:
    """The bare code for one that a newer worker wrote."""
    return str(sentences[Why(why)]) if why in set(sentences) else why
