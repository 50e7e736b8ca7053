using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Engine.Images;

/// <summary>The disks of a view that were looked into last, with their parts opened. Thread-safe.</summary>
/// <param name="view">The view.</param>
/// <param name="options">The vault's.</param>
internal sealed class OpenDisks(IItemView view, VaultOptions options) : IDisposable
{
    private const int Most = 32;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly OrderedDictionary<ulong, IReadOnlyList<ImagePart>> _open = [];

    /// <summary>The parts of a disk.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VaultDataCorrupt, …: its beginning cannot be read.</exception>
    public async ValueTask<IReadOnlyList<ImagePart>> OpenAsync(ViewItem disk, ulong folder, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_open.Remove(disk.Id, out IReadOnlyList<ImagePart>? parts))
            {
                parts = await ImagePart.ReadAsync(view, disk, folder, ImagePart.RefusalOf(options), cancellationToken).ConfigureAwait(false);
            }

            _open.Add(disk.Id, parts);
            if (_open.Count > Most)
            {
                _open.RemoveAt(0);
            }

            return parts;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();
}
