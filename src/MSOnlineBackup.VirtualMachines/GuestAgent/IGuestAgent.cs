using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.GuestAgent;

/// <summary>The agent in a guest (qemu-ga). One caller at a time.</summary>
internal interface IGuestAgent : IAsyncDisposable
{
    /// <summary>Has the agent answer what was asked before, and skips that.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable: no agent answers.</exception>
    Task SyncAsync(TimeSpan patience, CancellationToken cancellationToken);

    /// <summary>Has a command carried out, and gives its answer.</summary>
    /// <exception cref="GuestAgentException">The agent refused it.</exception>
    /// <exception cref="BackupException">VirtualMachineUnreachable: it does not answer. The next command is to be <see cref="SyncAsync"/>.</exception>
    Task<JsonElement> ExecuteAsync(string command, TimeSpan patience, CancellationToken cancellationToken);
}

/// <summary>The ways to agents in guests.</summary>
internal static class GuestAgents
{
    /// <summary>Connects; whether an agent is there is not known before it has answered.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineBusy.</exception>
    public static async Task<IGuestAgent> ConnectAsync(string address, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken) =>
        VirshAgent.TryOpen(address) is { } agent ? agent : await GuestAgentClient.ConnectAsync(address, patience, time, cancellationToken).ConfigureAwait(false);
}
