using System.CommandLine;
using MSOnlineBackup.Host.Commands;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Passphrases;

/// <summary>
/// Where a passphrase comes from: a file, a command, the environment, or a person, in this order. Never an argument:
/// every user of the machine can read those.
/// </summary>
internal sealed class PassphraseOptions
{
    private readonly Option<string?> _file;
    private readonly Option<string?> _command;
    private readonly string _name;
    private readonly string _variable;
    private readonly bool _isNew;

    private PassphraseOptions(Command command, string name, string variable, bool isNew)
    {
        (_name, _variable, _isNew) = (name, variable, isNew);
        _file = new Option<string?>($"--{name}-file")
        {
            HelpName = "FILE",
            Description = $"Read the {Words} from a file, without the line break at its end. Default: {variable}, or a hidden prompt.",
        };
        _command = new Option<string?>($"--{name}-command")
        {
            HelpName = "COMMAND",
            Description = $"Run a command, without a shell, that prints the {Words}, for example \"pass show backup\".",
        };
        command.Add(_file);
        command.Add(_command);
    }

    private string Words => _name.Replace('-', ' ');

    /// <summary>The passphrase of an existing vault.</summary>
    public static PassphraseOptions ForOpening(Command command) => new(command, "passphrase", "OBENGINE_PASSPHRASE", isNew: false);

    /// <summary>The first passphrase of a vault that is being created.</summary>
    public static PassphraseOptions ForCreating(Command command) => new(command, "passphrase", "OBENGINE_PASSPHRASE", isNew: true);

    /// <summary>A passphrase for another key slot.</summary>
    public static PassphraseOptions ForAdding(Command command) => new(command, "new-passphrase", "OBENGINE_NEW_PASSPHRASE", isNew: true);

    /// <summary>The passphrase of an owner's or approver's file.</summary>
    public static PassphraseOptions ForOwner(Command command) => new(command, "owner-passphrase", "OBENGINE_OWNER_PASSPHRASE", isNew: false);

    /// <summary>Whether a file or a command was named that gives the passphrase.</summary>
    public bool IsNamed(CommandContext context) => context.Get(_file) is not null || context.Get(_command) is not null;

    /// <summary>Finds the passphrase.</summary>
    /// <exception cref="BackupException">ArgumentInvalid, CommandFailed: there is none to be had.</exception>
    public async Task<string> ReadAsync(CommandContext context)
    {
        HostEnvironment environment = context.Environment;
        switch (context.Get(_file), context.Get(_command))
        {
            case ({ }, { }):
                throw context.Invalid($"Both {_file.Name} and {_command.Name} were given.", "Give one of them.");
            case ({ } file, null):
                return await ReadFileAsync(context, file).ConfigureAwait(false);
            case (null, { } command):
                return await PassphraseCommand.ReadAsync(command, context.Stop).ConfigureAwait(false);
        }

        if (environment.Variable(_variable) is { } value)
        {
            return value;
        }

        if (environment.AskHidden is not { } ask)
        {
            throw context.Invalid(
                $"No {Words} was given, and there is no terminal to ask for it on.",
                $"Use {_file.Name} or {_command.Name}, or set {_variable}.");
        }

        return _isNew ? await AskTwiceAsync(context, ask).ConfigureAwait(false) : await ask("Passphrase", context.Stop).ConfigureAwait(false);
    }

    private static async Task<string> AskTwiceAsync(CommandContext context, Func<string, CancellationToken, Task<string>> ask)
    {
        context.Renderer.Note("Choose a passphrase of at least 16 ASCII characters. It is not stored anywhere: if you lose it, you lose the data.");
        string first = await ask("New passphrase", context.Stop).ConfigureAwait(false);
        string second = await ask("New passphrase again", context.Stop).ConfigureAwait(false);
        return first == second
            ? first
            : throw new BackupException(BackupErrorId.PassphraseInvalid, "The two passphrases differ.", "Run the command again and type the same passphrase twice.");
    }

    private async Task<string> ReadFileAsync(CommandContext context, string file)
    {
        try
        {
            return WithoutLineBreak(await File.ReadAllTextAsync(file, context.Stop).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The {Words} file '{file}' cannot be read: {e.Message}",
                $"Check the path after {_file.Name}, and that this account may read the file.",
                file,
                innerException: e);
        }
    }

    /// <summary>What a file or a command gives, without the one line break that editors and programs put at its end.</summary>
    internal static string WithoutLineBreak(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
}
