using System.Text;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// Snapshots of datasets of ZFS, by its own program: all of one pool at one moment. They are read below the dataset's own <c>.zfs/snapshot</c>. What programs had written to files is in
/// them, in the order in which it was written.
/// </summary>
/// <param name="commands">Runs the program.</param>
internal sealed class ZfsSnapshots(ISystemCommands commands) : ISnapshotMaker
{
    private const string Prefix = "obengine-snapshot-";

    /// <inheritdoc/>
    public string Kind => "ZFS";

    /// <inheritdoc/>
    public ConsistencyLevel Level => ConsistencyLevel.FileSystem;

    /// <inheritdoc/>
    public string? WhyNotStaying => null;

    /// <inheritdoc/>
    public bool IsOf(SnapshotVolume volume) => volume.FileSystem == "zfs";

    /// <inheritdoc/>
    public async Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken)
    {
        if (volume.Device.Contains('@', StringComparison.Ordinal))
        {
            return "It is a snapshot itself.";
        }

        CommandResult? told = await commands.RunAsync("zfs", ["list", "-H", "-o", "name", "-t", "filesystem", volume.Device], cancellationToken).ConfigureAwait(false);
        return told is { ExitCode: 0 } && told.Output.Trim() == volume.Device ? null : Refusal(told);
    }

    /// <inheritdoc/>
    public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) => new(Kind, EntryName.Escape(volume.Path), volume.Identity, $"{volume.Device}@{Prefix}{id}");

    /// <inheritdoc/>
    public async Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
    {
        foreach (IGrouping<string, WantedSnapshot> pool in snapshots.GroupBy(snapshot => snapshot.Volume.Device.Split('/')[0]))
        {
            CommandResult? told = await commands.RunAsync("zfs", ["snapshot", .. pool.Select(snapshot => snapshot.Mark.Name)], cancellationToken).ConfigureAwait(false);
            foreach (WantedSnapshot snapshot in pool)
            {
                if (told is { ExitCode: 0 })
                {
                    snapshot.Succeed(PlaceOf(snapshot.Volume.Path, snapshot.Mark));
                }
                else
                {
                    snapshot.Fail(Refusal(told));
                }
            }
        }
    }

    /// <inheritdoc/>
    public async Task<string?> RemoveAsync(SnapshotMark mark)
    {
        string dataset = mark.Name.Split('@')[0];
        CommandResult? told = await commands.RunAsync("zfs", ["list", "-H", "-o", "name", "-t", "snapshot", "-d", "1", dataset], CancellationToken.None).ConfigureAwait(false);
        if (told is not { ExitCode: 0 })
        {
            // The pool may come back.
            return Refusal(told);
        }

        if (!told.Output.Split('\n').Contains(mark.Name))
        {
            return null;
        }

        CommandResult? removed = await commands.RunAsync("zfs", ["destroy", mark.Name], CancellationToken.None).ConfigureAwait(false);
        return removed is { ExitCode: 0 } ? null : Refusal(removed);
    }

    /// <inheritdoc/>
    public async Task<FoundSnapshot> FindAsync(SnapshotMark mark, CancellationToken cancellationToken)
    {
        // One that was made anew under the name has another number.
        string dataset = mark.Name.Split('@')[0];
        CommandResult? told = await commands.RunAsync("zfs", ["list", "-H", "-o", "name,guid", "-t", "snapshot", "-d", "1", dataset], cancellationToken).ConfigureAwait(false);
        if (told is not { ExitCode: 0 })
        {
            return new FoundSnapshot(null, null, Refusal(told));
        }

        string? guid = told.Output.Split('\n').Select(line => line.Split('\t')).FirstOrDefault(columns => columns.Length == 2 && columns[0] == mark.Name)?[1].Trim();
        return guid is not null && (mark.Uuid is null || mark.Uuid == guid)
            ? new FoundSnapshot(PlaceOf(EntryName.Unescape(mark.Volume), mark), guid, null)
            : new FoundSnapshot(null, null, $"'{mark.Name}' is {(guid is null ? "gone" : "not the snapshot that the backup made")}.") { IsGone = true };
    }

    private static byte[] PlaceOf(byte[] volume, SnapshotMark mark) =>
        [.. volume.AsSpan().TrimEnd((byte)'/'), .. Encoding.UTF8.GetBytes($"/.zfs/snapshot/{mark.Name.Split('@')[1]}")];

    private static string Refusal(CommandResult? told) => told is null
        ? "The program 'zfs' is not there."
        : $"'zfs' ended with {told.ExitCode}: {told.Error.Trim().ReplaceLineEndings(" ")}";
}
