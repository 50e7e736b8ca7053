using System.ComponentModel;
using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Virsh;

/// <summary>libvirt's program <c>virsh</c>, by which all that libvirt is asked goes to it. There is one process for each command.</summary>
/// <param name="uri">The address of libvirt, such as <c>qemu:///system</c>.</param>
internal sealed class VirshProgram(string uri)
{
    private const string Program = "virsh";

    // What is said when libvirt itself is not there, does not let this account in, or goes away.
    private static readonly string[] _unreachable =
    [
        "failed to connect", "cannot connect", "Failed to connect", "End of file while reading", "Cannot recv data", "Cannot write data", "client socket is closed", "authentication", "access denied",
        "is forbidden", "domain is not running", "not responding", "no connection driver available", "unexpected exit of QEMU", "monitor socket",
    ];

    // What is said while another job goes on.
    private static readonly string[] _busy = ["cannot acquire state change lock", "another job is active", "domain has active block job", "is being migrated", "incoming migration", "already in progress"];

    private static readonly string[] _unknown = ["failed to get domain", "Domain not found", "no domain with matching"];

    /// <summary>How long a command may take: libvirt itself gives one up that waits for another for 30 s.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(1);

    /// <summary>The address of libvirt.</summary>
    public string Uri => uri;

    /// <summary>Has a command carried out.</summary>
    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="machine">The machine that it is about, for people; null where it is about none.</param>
    /// <param name="patience">How long it may take; null for <see cref="Patience"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What it says.</returns>
    /// <exception cref="BackupException">
    /// VirtualMachineProgramUnusable: there is no virsh; VirtualMachineUnreachable; VirtualMachineBusy; VirtualMachineUnfit: there is no such machine; VirtualMachineCommandFailed. Each with what virsh says.
    /// </exception>
    public async Task<string> RunAsync(IReadOnlyList<string> arguments, string? machine, TimeSpan? patience, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Program, ["-q", "-c", uri, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        using Process process = Start(start);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(patience ?? Patience);
        try
        {
            process.StandardInput.Close();
            Task<string> error = process.StandardError.ReadToEndAsync(late.Token);
            string output = await process.StandardOutput.ReadToEndAsync(late.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(late.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? output : throw Failed(arguments[0], machine, await error.ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(arguments[0], machine, "libvirt is not responding");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineProgramUnusable, $"'{Program}' cannot be started: {e.Message}", "Install the package that has it (libvirt-clients, or libvirt-client).", Program, innerException: e);
        }
    }

    private BackupException Failed(string command, string? machine, string said)
    {
        string why = string.Join(' ', said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line.StartsWith("error: ", StringComparison.Ordinal) ? line["error: ".Length..] : line));
        string subject = machine ?? uri;
        return Says(_unknown) && machine is not null
                ? new BackupException(BackupErrorId.VirtualMachineUnfit, $"libvirt at '{uri}' has no virtual machine '{machine}': {why}", $"See which there are: virsh -c {uri} list --all", subject)
            : Says(_busy)
                ? new BackupException(BackupErrorId.VirtualMachineBusy, $"libvirt at '{uri}' is busy with the virtual machine '{subject}': {why}", "Wait for that to end, and run the backup again.", subject, transient: true)
            : Says(_unreachable)
                ? new BackupException(BackupErrorId.VirtualMachineUnreachable, $"The virtual machine '{subject}' cannot be reached through libvirt at '{uri}': {why}", "Check that libvirt runs, that this account may use it, and that the machine runs.", subject, transient: true)
            : new BackupException(BackupErrorId.VirtualMachineCommandFailed, $"libvirt at '{uri}' refused '{command}' for the virtual machine '{subject}': {why}", "See to what libvirt says, and run the backup again.", subject);

        bool Says(string[] words) => Array.Exists(words, word => why.Contains(word, StringComparison.Ordinal));
    }
}
