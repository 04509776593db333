"""``portal users``: people who sign in."""

from __future__ import annotations

import secrets
import sys

import click

from portal.accounts import queries, services
from portal.accounts.policy import Role
from portal.cli.frame import actor, json_option, show_json, with_app
from portal.kernel import clock
from portal.kernel.db import transaction


@click.group()
def users() -> None:
    """People who sign in."""


@users.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--organisation", required=True, help="The code of the authority or contractor they belong to.")
@click.option("--name", default="", help="Shown to colleagues; default: the address.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; default: make one.")
@json_option
@with_app
def add(email: str, role: str, organisation: str, name: str, password_stdin: bool, as_json: bool) -> None:
    """Add a person; prints the password that was made for them."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)
    with transaction():
        person = services.add_person(
            email,
            role=Role(role),
            organisation_code=organisation,
            password=password,
            name=name,
            by=actor(),
            now=clock.now(),
        )
    made = {} if password_stdin else {"password": password}
    if as_json:
        show_json({"email": person.email, "role": role, "organisation": organisation, **made})
    else:
        click.echo(f"{person.email} signs in as {role} of {organisation}." + (f" Password: {password}" if made else ""))


@users.command("organisations")
@json_option
@with_app
def organisations(as_json: bool) -> None:
    """List the organisations people can belong to."""
    rows = [{"code": each.code, "name": each.name, "kind": each.kind.value} for each in queries.organisations()]
    if as_json:
        show_json(rows)
    else:
        for row in rows:
            click.echo(f"{row['code']}\t{row['kind']}\t{row['name']}")
