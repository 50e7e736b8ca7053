using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.VirtualMachines.Azure.Machines;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Azure.Uploads;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.Composition;

/// <summary>Virtual machines in Azure, by their addresses, as this machine's identity may see them. Nothing of Azure is loaded where none is named.</summary>
public static class AzureMachines
{
    /// <summary>Whether a text is meant as the address of something in Azure.</summary>
    public static bool IsAddress(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Finds a machine; see <see cref="AzureMachine.ConnectAsync"/>.</summary>
    /// <param name="id">Its address.</param>
    /// <param name="connection">How Azure is reached.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="AzureMachine.ConnectAsync"/>.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    [SuppressMessage("Performance", "CA1859", Justification = "Who names it would load it.")]
    public static async Task<IVirtualMachine> ConnectAsync(string id, VaultConnection connection, CancellationToken cancellationToken) =>
        await AzureMachine.ConnectAsync(id, AzureAccess.Create(connection), cancellationToken).ConfigureAwait(false);

    /// <summary>Restores a disk of a recovery point as a managed disk; see <see cref="AzureDiskUpload.RunAsync"/>.</summary>
    /// <param name="connection">How Azure is reached.</param>
    /// <param name="request">The new disk.</param>
    /// <param name="disk">The disk of the point.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="AzureDiskUpload.RunAsync"/>.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Task<AzureDiskResult> UploadAsync(VaultConnection connection, AzureDiskRequest request, DiskBytes disk, JobMonitor monitor, CancellationToken cancellationToken) =>
        AzureDiskUpload.RunAsync(AzureAccess.Create(connection), request, disk, monitor, cancellationToken);
}
