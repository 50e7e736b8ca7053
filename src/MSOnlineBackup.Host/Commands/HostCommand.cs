using System.CommandLine;
using System.CommandLine.Invocation;
using MSOnlineBackup.Host.Documents;

namespace MSOnlineBackup.Host.Commands;

/// <summary>A command that does something, with the example that its help shows.</summary>
internal abstract class HostCommand : Command, IHasExample
{
    protected HostCommand(string name, string summary, string example)
        : base(name, summary)
    {
        Example = example;
        Action = new RunsAsHostCommand();
    }

    public string Example { get; }

    /// <summary>Whether it is a job, which waits for a vault that is away; everything else somebody waits for.</summary>
    public virtual bool IsJob => false;

    /// <summary>Whether standard output is for bytes that are asked for, and for nothing else: all that is said goes to standard error, JSON lines too.</summary>
    public virtual bool WritesBytes => false;

    /// <summary>What is told where the command is to stop before its end.</summary>
    public virtual string StopNote => "Stopping; what has arrived in the vault stays usable, and the next run continues from there. Interrupt again to end at once.";

    /// <summary>Carries the command out. What fails, throws.</summary>
    public abstract Task<Outcome> RunAsync(CommandContext context);

    /// <summary>An option without a value.</summary>
    protected Option<bool> Flag(string name, string description, params string[] aliases)
    {
        var option = new Option<bool>(name, aliases) { Description = description, Arity = ArgumentArity.Zero };
        Add(option);
        return option;
    }

    /// <summary>An option with one value.</summary>
    protected Option<string?> Value(string name, string valueName, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = valueName };
        Add(option);
        return option;
    }

    /// <summary>An option whose value is one of a few names, in any case. Numbers and lists, which an enumeration's own parser takes, are none.</summary>
    protected Option<T> Choice<T>(string name, string description, T usual)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(value => value.ToLowerInvariant())];
        var option = new Option<T>(name)
        {
            Description = description,
            HelpName = string.Join('|', names),
            DefaultValueFactory = _ => usual,
            CustomParser = result =>
            {
                int index = Array.IndexOf(names, result.Tokens[0].Value.ToLowerInvariant());
                if (index < 0)
                {
                    result.AddError($"'{result.Tokens[0].Value}' is not a valid value of {name}: use {string.Join(", ", names[..^1])} or {names[^1]}.");
                    return usual;
                }

                return Enum.GetValues<T>()[index];
            },
        };
        Add(option);
        return option;
    }

    /// <summary>An option that may be repeated.</summary>
    protected Option<string[]> Values(string name, string valueName, string description)
    {
        var option = new Option<string[]>(name) { Description = $"{description} May be repeated.", HelpName = valueName };
        Add(option);
        return option;
    }

    /// <summary>An argument that must be there.</summary>
    protected Argument<string> Required(string name, string description)
    {
        var argument = new Argument<string>(name) { Description = description };
        Add(argument);
        return argument;
    }

    /// <summary>An argument that may be left out.</summary>
    protected Argument<string?> Optional(string name, string description)
    {
        var argument = new Argument<string?>(name) { Description = description, Arity = ArgumentArity.ZeroOrOne };
        Add(argument);
        return argument;
    }

    /// <summary>All further arguments.</summary>
    protected Argument<string[]> Many(string name, string description, ArgumentArity arity)
    {
        var argument = new Argument<string[]>(name) { Description = description, Arity = arity };
        Add(argument);
        return argument;
    }
}

/// <summary>Says that a command does something itself, even if there are others below it. <see cref="Application"/> runs it.</summary>
internal sealed class RunsAsHostCommand : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult) => throw new NotSupportedException();
}

/// <summary>A command that only groups others.</summary>
internal sealed class CommandGroup : Command, IHasExample
{
    public CommandGroup(string name, string summary, string example, params HostCommand[] commands)
        : base(name, summary)
    {
        Example = example;
        foreach (HostCommand command in commands)
        {
            Add(command);
        }
    }

    public string Example { get; }
}

/// <summary>A command whose help ends with an example.</summary>
internal interface IHasExample
{
    /// <summary>One or more command lines.</summary>
    string Example { get; }
}

/// <summary>What a command did.</summary>
/// <param name="Summary">For programs; its exit code is the process's.</param>
/// <param name="Text">For people; empty where the listing said it all.</param>
internal sealed record Outcome(Summary Summary, string Text);
