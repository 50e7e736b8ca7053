using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Qmp;

/// <summary>A way to the monitor of a QEMU (QMP): its socket, or whoever holds that.</summary>
internal interface IQemuMonitor : IAsyncDisposable
{
    /// <summary>The version of QEMU.</summary>
    Version Version { get; }

    /// <summary>Has a command carried out, and gives its answer.</summary>
    /// <exception cref="QmpException">QEMU refused it.</exception>
    /// <exception cref="BackupException">VirtualMachineUnreachable: QEMU has gone, or does not answer; VirtualMachineBusy.</exception>
    Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellationToken);
}
