"""`bin/pulumi-local`: any pulumi command, with everything a cloud would answer answered on this machine."""

import os
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.local import (
    engines,
    environment,
    guardrails,
    locks,
    passphrases,
    processes,
    project,
    stand_ins,
    state,
)
from infra.local.arguments import Invocation, parse
from infra.local.cloud import runs
from infra.local.errors import NO_SUCH_STACK, Interrupted, LocalError, interrupt_on_signals, say
from infra.local.home import Home
from infra.local.project import StackFile
from infra.stateful import STATEFUL

_HELP = """
The local platform (bin/pulumi-local): aws, eks, kubernetes and random are stand-ins; nothing reaches AWS.
State, records and logs are in {root}; a stack is made on first use if it has a Pulumi.<stack>.yaml.
"""

# Commands that take a stack but must not make it: they make, drop or list stacks themselves, or unlock one.
_NO_STACK_NEEDED = frozenset({"init", "rm", "ls", "unselect", "migrate", "webhook", "schedule", "drift"})
_RECOVERING = frozenset({"preview", "up", "refresh", "destroy", "import", "watch"})


@dataclass(kw_only=True)
class _Run:
    """One command and all it needs."""

    invocation: Invocation
    home: Home
    environ: Mapping[str, str]
    engine: engines.Engine
    project_name: str = ""

    def checkpoint(self, stack: str) -> state.Checkpoint:
        return state.Checkpoint(home=self.home, project=self.project_name, stack=stack)

    def engine_command(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        ports: Mapping[str, int],
        quiet: bool = False,
        silent: bool = False,
        summary: Path | None = None,
    ) -> int:
        env = environment.for_engine(
            environ=self.environ,
            home=self.home,
            language_host=engines.language_host_folder(engine=self.engine, home=self.home),
            engine_version=self.engine.version,
            ports=ports,
            summary=summary,
        )
        run = processes.run_engine
        if quiet or silent:
            run = processes.run_silently if silent else processes.run_quietly
        return run([str(self.engine.path), *args], cwd=cwd, env=env | guardrails.DEBUG_COMMANDS)


def main(args: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    interrupt_on_signals()
    try:
        return _main(args)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Interrupted as interrupted:
        say("interrupted")
        return interrupted.exit_code
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(
            f"error: the local platform could not do its work: {where}{error.strerror or error}",
            file=sys.stderr,
        )
        print(
            "  to do: check space and permissions there, or set PULUMI_LOCAL_HOME to another folder",
            file=sys.stderr,
        )
        return 1
    finally:
        processes.end_descendants()


def _main(args: Sequence[str]) -> int:
    cwd = Path.cwd()
    home = Home.locate(environ=os.environ, cwd=cwd)
    home.create()
    invocation = parse(args=args, cwd=cwd)
    engine = engines.find(home=home, environ=os.environ)
    run = _Run(invocation=invocation, home=home, environ=os.environ, engine=engine)
    if not invocation.in_project:
        code = run.engine_command(invocation.args, cwd=cwd, ports={})
        if not invocation.words or invocation.words == ("help",):
            print(_HELP.format(root=home.root))
        return code
    if invocation.command == "watch":
        raise LocalError(
            "`watch` is not here.\n  found: the engine would watch the mirrored project, which does not change\n"
            "  to do: run bin/pulumi-local up after a change",
        )
    project.refuse_cloud_key(invocation.args)
    state.mend(home)
    run.project_name = project.project_name(home)
    project.prepare(home)
    return _in_project(run)


def _in_project(run: _Run) -> int:
    """Run a command that works on the project, in its mirror."""
    invocation = run.invocation
    with ExitStack() as cleanup:
        stack = _stack_for(run)
        file: StackFile | None = None
        if stack is not None:
            file = cleanup.enter_context(_prepared_stack(run, stack))
        before = project.snapshot(run.home, file)
        args = [*invocation.args]
        if file is not None and invocation.config_file is not None:
            args = guardrails.with_flag(args, f"--config-file={file.mirror}")
        ports: dict[str, int] = {}
        if invocation.uses_providers:
            stand_ins.provide_plugin_stubs(run.home)
            cloud = runs.variables(invocation, home=run.home, environ=run.environ, stack=stack)
            ports = cleanup.enter_context(stand_ins.running(home=run.home, environ=run.environ, cloud=cloud))
            say(f"{_listed(sorted(ports))} on this machine; nothing reaches AWS")
            if cloud:
                say(f"moto stands behind aws, at {cloud[runs.URL]}; `make cloud-env` leads boto3 there")
        for flag in guardrails.policy_arguments(invocation=invocation, home=run.home, environ=run.environ):
            args = guardrails.with_flag(args, flag)
        summary: Path | None = None
        if invocation.command == "preview":
            # The engine shows a program's messages before its outputs; the summary shall be what is read last.
            folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="parking-preview-"))
            summary = Path(folder) / "summary"
        code = guardrails.run(
            invocation=invocation,
            home=run.home,
            shown=(args, partial(run.engine_command, cwd=run.home.mirror, ports=ports, summary=summary)),
            quiet=partial(run.engine_command, cwd=run.home.mirror, ports=ports, silent=True),
            has_state=stack is not None and run.checkpoint(stack).holds_any(STATEFUL),
        )
        if summary is not None and code == 0 and not invocation.prints_json and summary.exists():
            print(summary.read_text(encoding="utf-8"), flush=True)
        _follow_up(run, code=code, before=before, stack=stack)
        if invocation.command == "destroy":
            runs.end_if_empty(run.home)
    return code


def _stack_for(run: _Run) -> str | None:
    """The stack that the command is about, made if this is its first use.

    Returns:
        Its name, or None for a command that is not about one that exists.
    """
    invocation = run.invocation
    if invocation.command == "stack" and invocation.subcommand in _NO_STACK_NEEDED:
        return None
    if invocation.command == "stack" and invocation.subcommand == "select":
        stack = invocation.stack or (invocation.words[2] if len(invocation.words) > 2 else None)
        creates = any(arg in {"-c", "--create"} for arg in invocation.args)
        if stack is None or creates:
            return None
        stack = stack.rpartition("/")[2]
    else:
        stack = invocation.stack or run.environ.get("PULUMI_STACK", "").rpartition("/")[2]
        stack = stack or state.selected_stack(run.home)
    known = sorted(
        {*project.stack_names(run.home), *state.existing_stacks(home=run.home, project=run.project_name)}
    )
    if not stack:
        raise LocalError(f"no stack is given and none is selected.\n{_choices(run, known)}")
    if stack not in known:
        raise LocalError(f"no stack named '{stack}' found.\n{_choices(run, known)}", exit_code=NO_SUCH_STACK)
    return stack


def _choices(run: _Run, known: list[str]) -> str:
    command = run.invocation.command
    return (
        f"  there are: {', '.join(known) or 'none yet'}\n"
        f"  to do: name one (bin/pulumi-local {command} --stack NAME), choose one for good\n"
        "         (bin/pulumi-local stack select NAME), or add a stack by writing Pulumi.NAME.yaml"
    )


@contextmanager
def _prepared_stack(run: _Run, stack: str) -> Generator[StackFile]:
    """Have a stack ready: not in use, whole, made with this passphrase, its settings mirrored."""
    invocation, home = run.invocation, run.home
    checkpoint = run.checkpoint(stack)
    with ExitStack() as held:
        if invocation.holds_stack:
            command = " ".join(invocation.words[:1])
            held.enter_context(locks.guard(home=home, stack=stack, command=command))
            locks.clear_stale(home=home, project=run.project_name, stack=stack)
        default = project.stack_file(home=home, stack=stack)
        if checkpoint.exists:
            checkpoint.check()
            passphrases.check(home=home, stack=stack, environ=run.environ)
            if invocation.command in _RECOVERING:
                _recover(run, checkpoint, is_held=invocation.holds_stack)
            _restore_salt(default, checkpoint)
        file = project.stack_file(home=home, stack=stack, config_file=invocation.config_file)
        project.refuse_cloud_secrets(file)
        if not checkpoint.exists:
            _initialise(run, stack)
        if file != default:
            project.mirror_stack(file, salt=project.salt_of(default.mirror))
        yield file


def _recover(run: _Run, checkpoint: state.Checkpoint, *, is_held: bool) -> None:
    if is_held:
        checkpoint.recover()
        return
    with locks.guard_if_free(home=run.home, stack=checkpoint.stack) as free:
        # Another run's operations are under way, not left behind.
        if free:
            locks.clear_stale(home=run.home, project=run.project_name, stack=checkpoint.stack)
            checkpoint.recover()


def _restore_salt(file: StackFile, checkpoint: state.Checkpoint) -> None:
    """Give a mirror that was lost or damaged the salt that the state was made with."""
    if project.salt_of(file.mirror) is None and file.real.exists() and (salt := checkpoint.salt()):
        project.mirror_stack(file, salt=salt)


def _initialise(run: _Run, stack: str) -> None:
    """Make a stack that has a file but no state yet."""
    with locks.making(home=run.home, stack=stack):
        if run.checkpoint(stack).exists:
            return
        passphrases.remember(home=run.home, stack=stack, environ=run.environ)
        args = ["stack", "init", stack, "--no-select", "--non-interactive"]
        code = run.engine_command(args, cwd=run.home.mirror, ports={}, quiet=True)
    if code != 0 and not run.checkpoint(stack).exists:
        passphrases.forget(home=run.home, stack=stack)
        problem = project.syntax_error(project.stack_file(home=run.home, stack=stack))
        raise LocalError(
            f"stack '{stack}' could not be made; {problem or 'the engine says why above'}", exit_code=code
        )
    say(f"made stack '{stack}', which had none of its state here yet")


def _follow_up(run: _Run, *, code: int, before: Mapping[StackFile, str], stack: str | None) -> None:
    """Carry what a finished command changed to where it belongs."""
    invocation, home = run.invocation, run.home
    if code != 0:
        _explain_failure(run, files=before, stack=stack)
        return
    changes_provider = invocation.words[:2] == ("stack", "change-secrets-provider")
    if invocation.command == "config" or changes_provider:
        for file, text in before.items():
            note = project.sync_back(file, before=text)
            if note:
                say(note)
    if changes_provider and stack is not None:
        passphrases.forget(home=home, stack=stack)
    if invocation.words[:2] == ("stack", "init") and len(invocation.words) > 2:
        passphrases.remember(home=home, stack=invocation.words[2].rpartition("/")[2], environ=run.environ)
    if invocation.words[:2] == ("stack", "rename") and (home.project / f"Pulumi.{stack}.yaml").exists():
        say(f"Pulumi.{stack}.yaml keeps its name here; rename it as you renamed the stack")


def _explain_failure(run: _Run, *, files: Mapping[StackFile, str], stack: str | None) -> None:
    """Add what the engine cannot know: where the settings are no YAML, how a protected stack is destroyed."""
    for file in files:
        if problem := project.syntax_error(file):
            say(problem)
    if run.invocation.command != "destroy" or stack is None:
        return
    # The engine's own advice, `state unprotect`, would leave the setting as it is.
    count = run.checkpoint(stack).protected()
    setting = project.protection_setting(project.stack_file(home=run.home, stack=stack))
    if count and setting:
        say(
            f"{count} resources of stack '{stack}' are protected by {setting}; "
            "to destroy it takes two deliberate steps:\n"
            f"    bin/pulumi-local config set {setting} false --stack {stack} && bin/pulumi-local up --stack {stack}\n"
            f"    bin/pulumi-local destroy --stack {stack}"
        )


def _listed(names: Sequence[str]) -> str:
    """`aws, eks and random are stand-ins`."""
    if len(names) == 1:
        return f"{names[0]} is a stand-in"
    return f"{', '.join(names[:-1])} and {names[-1]} are stand-ins"
