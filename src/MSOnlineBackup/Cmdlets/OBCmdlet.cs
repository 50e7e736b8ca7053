using System.Buffers;
using System.Management.Automation;
using System.Management.Automation.Host;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Errors;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>
/// What all cmdlets have in common: this machine's agent, and errors that end as records with an id, a category, a target and
/// what to do. A cmdlet overrides <see cref="Prepare"/>, <see cref="Process"/> and <see cref="Finish"/>, and throws what the engine throws.
/// Work that takes time belongs into <see cref="OBEngineCmdlet"/>.
/// </summary>
public abstract class OBCmdlet : PSCmdlet
{
    private static readonly SearchValues<char> _drive = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    private BackupAgent? _agent;

    /// <summary>This machine's agent; opened at first use.</summary>
    private protected BackupAgent Agent => _agent ??= ModuleEnvironment.OpenAgent(Note);

    /// <summary>Before the first input. Nothing that comes by the pipeline is bound yet.</summary>
    protected virtual void Prepare()
    {
    }

    /// <summary>For every input; once where nothing comes by the pipeline.</summary>
    protected virtual void Process()
    {
    }

    /// <summary>After the last input.</summary>
    protected virtual void Finish()
    {
    }

    /// <inheritdoc/>
    protected sealed override void BeginProcessing() => Guarded(Prepare);

    /// <inheritdoc/>
    protected sealed override void ProcessRecord() => Guarded(Process);

    /// <inheritdoc/>
    protected sealed override void EndProcessing() => Guarded(Finish);

    /// <summary>Reports an error of one item among many; the others go on.</summary>
    private protected void WriteError(BackupException error) => WriteError(ErrorRecords.From(error));

    /// <summary>Says what the user should know of while the engine waits. Called from any thread.</summary>
    private protected virtual void Note(string text)
    {
        // Only work through a vault waits, and that is done by OBEngineCmdlet.
    }

    /// <summary>
    /// An absolute path of the file system for one that is relative to the session's location. Nothing needs to exist there; wildcards mean themselves.
    /// </summary>
    /// <exception cref="BackupException">ArgumentInvalid: the path is of another provider.</exception>
    private protected string FullPath(string path)
    {
        // Else '\\server\share' would be a path from the root, and 'C:' a drive of PowerShell that is not there.
        if (!OperatingSystem.IsWindows() && (path.StartsWith(@"\\", StringComparison.Ordinal) || IsOfLetter(path)))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{path}' is a Windows path; on this machine, paths begin with '/'.",
                "Give the path as this machine has it, such as '/srv/data'. To use a share, mount it first.",
                path);
        }

        string resolved;
        ProviderInfo provider;
        try
        {
            resolved = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out provider, out _);
        }
        catch (Exception e) when (e is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{path}' is a path on the drive '{path.Split(':')[0]}', which does not exist.",
                "Give a path of the file system, such as '/srv/data'. To name a file with a colon in its name, include its folder: './a:b'.",
                path,
                innerException: e);
        }

        return provider.Name == "FileSystem"
            ? resolved
            : throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{path}' is a path of the provider '{provider.Name}', but only files and folders can be used.",
                "Give a path of the file system, or change the location back to the file system.",
                path);
    }

    /// <summary>A vault where the user means it: the URL of a container, or a folder as <see cref="FullPath"/> has it.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: the path is of another provider.</exception>
    private protected string VaultPlace(string vault) => new VaultAddress(vault).IsRemote ? vault : FullPath(vault);

    /// <summary>
    /// Whether a path, or a pattern for one, can only be meant for Windows: of a share, of a letter (<c>D:*</c>), of a drive such as <c>HKLM:\</c>.
    /// </summary>
    private protected static bool IsOfWindows(string path) =>
        path.StartsWith(@"\\", StringComparison.Ordinal) || IsOfLetter(path) || (path.IndexOf(@":\", StringComparison.Ordinal) is > 0 and int colon && path.AsSpan(0, colon).IndexOfAnyExcept(_drive) < 0);

    private static bool IsOfLetter(string path) =>
        path is [>= 'A' and <= 'Z' or >= 'a' and <= 'z', ':', ..] && (path.Length == 2 || path[2] is '\\' or '/' or '*' or '?');

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (NullReferenceException exception) when (exception.TargetSite?.Name == nameof(PSHostUserInterface.PromptForChoice))
        {
            // What PowerShell's own prompt does where standard input is at its end.
            ThrowTerminatingError(ErrorRecords.From(new BackupException(
                BackupErrorId.ArgumentInvalid,
                "This needs a confirmation, and nobody can be asked: standard input is at its end. Nothing was done.",
                "Add -Confirm:$false to go on without being asked.",
                MyInvocation.MyCommand.Name,
                innerException: exception)));
        }
        catch (Exception exception) when (!IsPowerShells(exception))
        {
            ThrowTerminatingError(ErrorRecords.From(exception));
        }
    }

    // How PowerShell stops a pipeline (Ctrl+C, Select-Object -First, -ErrorAction Stop) is none of our errors.
    private static bool IsPowerShells(Exception exception) => exception.GetType().Assembly == typeof(PSCmdlet).Assembly;
}
