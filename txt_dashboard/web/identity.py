"""From Django's account to the actor that verbs know."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin

from txt_dashboard.actions.permissions import Actor, Role


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """The actor for an account: its roles are its groups of that name. Read once for each request."""
    known: Actor | None = getattr(user, "_actor", None)
    if known is None:
        groups = set(user.groups.values_list("name", flat=True)) if isinstance(user, PermissionsMixin) else set()
        roles = frozenset(role for role in Role if role.value in groups)
        known = Actor(user.get_username(), roles, user=user.pk)
        user._actor = known  # type: ignore[union-attr]
    return known
