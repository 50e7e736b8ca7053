using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>A recovery point of a virtual machine, opened to restore from it. It lives no longer than the vault.</summary>
public sealed class MachinePoint : IDisposable
{
    private const int MostBytes = 64 << 20;
    private const string DomainFile = "domain.xml";

    private readonly string _root;

    private MachinePoint(IItemView view, RecoveryPoint point, string root, MachineDescription description) => (View, Point, _root, Description) = (view, point, root, description);

    /// <summary>The recovery point.</summary>
    public RecoveryPoint Point { get; }

    /// <summary>What it says of the machine.</summary>
    public MachineDescription Description { get; }

    /// <summary>The machine's definition for libvirt; null where the point has none.</summary>
    public ReadOnlyMemory<byte>? Domain { get; private set; }

    /// <summary>The variables of UEFI; null where the point has none.</summary>
    public ReadOnlyMemory<byte>? Variables { get; private set; }

    /// <summary>The items of the point.</summary>
    internal IItemView View { get; }

    /// <summary>Opens one.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MachinePointUnfit: it is of no machine. VaultDataCorrupt, VaultDataMissing, ….</exception>
    public static async Task<MachinePoint> OpenAsync(IndexedVault vault, RecoveryPoint point, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(point);
        IItemView view = await vault.OpenViewAsync(point, new ViewOptions(), cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (string root in point.Sources.Where(source => source.Form == PathForm.Posix && !source.Path.StartsWith('/')).Select(source => source.Path))
            {
                if (await TryReadAsync(view, point, $"{root}/{MachineDescription.FileName}", cancellationToken).ConfigureAwait(false) is { } json && MachineDescription.Read(json.Span) is { } description)
                {
                    return new MachinePoint(view, point, root, description)
                    {
                        Domain = await TryReadAsync(view, point, $"{root}/{DomainFile}", cancellationToken).ConfigureAwait(false),
                        Variables = await TryReadAsync(view, point, $"{root}/{MachineHardware.VariablesFile}", cancellationToken).ConfigureAwait(false),
                    };
                }
            }

            throw new BackupException(
                BackupErrorId.MachinePointUnfit, $"The recovery point {point.SessionId} is of no virtual machine.", "Choose a point that 'obengine image backup' has made; 'obengine restore' restores files.", point.SessionId.ToString());
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    /// <summary>A disk of the machine.</summary>
    /// <exception cref="BackupException">MachinePointUnfit: the point has none of this name.</exception>
    public MachineDisk FindDisk(string name) => Description.Disks.FirstOrDefault(disk => disk.Name == name) ?? throw new BackupException(
        BackupErrorId.MachinePointUnfit,
        $"The recovery point of '{Description.Name}' has no disk '{name}'.{(Description.LeftOut.Contains(name) ? " It was left out of the backup." : "")}",
        $"Its disks are: {string.Join(", ", Description.Disks.Select(disk => disk.Name))}.",
        name);

    /// <summary>The file of a disk.</summary>
    /// <exception cref="BackupException">MachinePointUnfit: the point has none.</exception>
    internal async Task<ViewItem> FindAsync(MachineDisk disk, CancellationToken cancellationToken) =>
        await View.FindPathAsync(Point, $"{_root}/{disk.File}", cancellationToken).ConfigureAwait(false) is { IsFolder: false } item ? item : throw new BackupException(
            BackupErrorId.MachinePointUnfit, $"The recovery point of '{Description.Name}' has no content of the disk '{disk.Name}'.", "Choose another recovery point.", disk.Name);

    /// <inheritdoc/>
    public void Dispose() => View.Dispose();

    private static async Task<ReadOnlyMemory<byte>?> TryReadAsync(IItemView view, RecoveryPoint point, string path, CancellationToken cancellationToken)
    {
        if (await view.FindPathAsync(point, path, cancellationToken).ConfigureAwait(false) is not { IsFolder: false, Entry.Size: <= MostBytes } item)
        {
            return null;
        }

        byte[] bytes = new byte[item.Entry.Size];
        int read = await view.ReadAsync(item.Id, 0, bytes, cancellationToken).ConfigureAwait(false);
        return bytes.AsMemory(0, read);
    }
}
