using System.Collections;
using System.Management.Automation;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the disks of the recovery point that is on the command line already.</summary>
public sealed class MachineDiskCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        object? given = bound["RecoverableItem"] ?? bound["RecoveryPoint"];
        return given is null || !LanguagePrimitives.TryConvertTo(given, out OBRecoverableItem item) ? [] : ArchiveQuery.Run(item, async (archive, stop) =>
        {
            RecoveryPoint point = await archive.FindAsync(item.RecoveryPointId, stop).ConfigureAwait(false);
            IndexedVault vault = await archive.IndexAsync(stop).ConfigureAwait(false);
            return await vault.ListDisksAsync(point, stop).Select(disk => (DiskImage.NameOf(disk), $"{disk.Entry.Size >> 20} MiB")).ToListAsync(stop).ConfigureAwait(false);
        });
    }
}
