using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>Volumes whose file systems are held still while snapshots of them are made. One that cannot be is kept as it is, and that is told.</summary>
internal sealed class StillVolumes : IAsyncDisposable
{
    // A snapshot takes a moment; whoever writes waits meanwhile.
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(10);

    private readonly List<(SnapshotVolume Volume, FileSystemFreeze Freeze)> _held = [];
    private readonly Action<string> _note;

    private StillVolumes(Action<string> note) => _note = note;

    /// <summary>Holds them still.</summary>
    /// <param name="volumes">Which.</param>
    /// <param name="note">Told of those that cannot be.</param>
    /// <param name="cancellationToken">Stops it; then none is held.</param>
    public static async Task<StillVolumes> HoldAsync(IReadOnlyList<SnapshotVolume> volumes, Action<string> note, CancellationToken cancellationToken)
    {
        var still = new StillVolumes(note);
        try
        {
            foreach (SnapshotVolume volume in volumes)
            {
                await still.HoldAsync(volume, cancellationToken).ConfigureAwait(false);
            }

            return still;
        }
        catch
        {
            await still.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets go of all.</summary>
    /// <returns>Those that were held until now.</returns>
    /// <exception cref="BackupException">SnapshotUnavailable: one is frozen still.</exception>
    public async Task<IReadOnlyList<SnapshotVolume>> EndAsync()
    {
        var held = new List<SnapshotVolume>();
        for (int i = _held.Count - 1; i >= 0; i--)
        {
            (SnapshotVolume volume, FileSystemFreeze freeze) = _held[i];
            if (await freeze.EndAsync().ConfigureAwait(false))
            {
                held.Add(volume);
            }
            else
            {
                _note($"The file system at '{Encoding.UTF8.GetString(volume.Path)}' was let go before its snapshot was complete.");
            }
        }

        return held;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach ((_, FileSystemFreeze freeze) in _held)
        {
            await freeze.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task HoldAsync(SnapshotVolume volume, CancellationToken cancellationToken)
    {
        try
        {
            _held.Add((volume, await FileSystemFreeze.BeginAsync(Encoding.UTF8.GetString(volume.Path), _longest, cancellationToken).ConfigureAwait(false)));
        }
        catch (BackupException e)
        {
            _note(e.Message);
        }
    }
}
