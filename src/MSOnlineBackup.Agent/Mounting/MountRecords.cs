using System.Text;
using System.Text.Json;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Mounting;

/// <summary>
/// The mounts of this machine, one folder each: its record, its order, the wish to end it. Whoever serves one holds its lock, which the system takes back when the process
/// ends; so one whose process was killed is found, and cleaned, by whoever looks next.
/// </summary>
/// <param name="state">The machine's state.</param>
/// <param name="clock">The clock.</param>
/// <param name="wayOf">The way in which something is mounted at a place.</param>
internal sealed class MountRecords(StateFolder state, TimeProvider clock, Func<string, IMountWay> wayOf)
{
    /// <summary>The order's name.</summary>
    public const string OrderFile = "order.json";

    private const string Folder = "mounts";
    private const string RecordFile = "mount.json";
    private const string LockFile = "lock";

    // What whoever wants a mount to end writes: "end", or "force", although somebody is in it. Who serves it answers with "busy". That a file is gone says nothing: all go, one after the other, when the mount has ended.
    private const string WishFile = "stop";
    private const int RemovalTries = 100;

    // Where it is to be, from before it is there: whoever is killed in between leaves a mount, and no record.
    private const string PlaceFile = "place";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);

    /// <summary>The way in which something is mounted at a place.</summary>
    public IMountWay WayOf(string place) => wayOf(place);

    /// <summary>A file of a mount's.</summary>
    public string FileOf(Guid id, string name) => state.PathOf(Path.Combine(Folder, id.ToString("D"), name));

    /// <summary>Makes the folder of one, and takes its lock.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public async Task<IDisposable> HoldAsync(Guid id, CancellationToken cancellationToken)
    {
        string folder = Path.Combine(Folder, id.ToString("D"));
        long start = clock.GetTimestamp();
        while (true)
        {
            // Whoever lists may have the lock for a moment, or take the folder for one that was left.
            try
            {
                state.MakeFolder(Folder);
                state.MakeFolder(folder);
                if (state.TryLock(Path.Combine(folder, LockFile)) is { } held)
                {
                    return held;
                }
            }
            catch (BackupException e) when (e.InnerException is DirectoryNotFoundException && clock.GetElapsedTime(start) < _patience)
            {
                continue;
            }

            if (clock.GetElapsedTime(start) >= _patience)
            {
                throw new BackupException(BackupErrorId.MountFailed, $"The mount {id} is being served already.", "Mount again.", id.ToString());
            }

            await Task.Delay(_pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Notes where one is about to be mounted.</summary>
    public void Foresee(Guid id, string folder) => Write(id, PlaceFile, Encoding.UTF8.GetBytes(folder));

    /// <summary>Writes a record.</summary>
    public void Write(RecoveryMount mount) => state.Replace(FileOf(mount.Id, RecordFile), JsonSerializer.SerializeToUtf8Bytes(mount, MountJson.Default.RecoveryMount));

    /// <summary>Writes another file of a mount's.</summary>
    public void Write(Guid id, string name, byte[] content) => state.Replace(FileOf(id, name), content);

    /// <summary>Another file of a mount's; null where there is none.</summary>
    public byte[]? Read(Guid id, string name) => state.Read(FileOf(id, name));

    /// <summary>Wants one to end; nothing where it is just ending.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="force">Whether it is to go although somebody is in it.</param>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Wish(Guid id, bool force)
    {
        try
        {
            Write(id, WishFile, force ? "force"u8.ToArray() : "end"u8.ToArray());
        }
        catch (BackupException e) when (e.InnerException is DirectoryNotFoundException or FileNotFoundException)
        {
            // Its folder went in between.
        }
    }

    /// <summary>Whether somebody wants one to end, and has no answer yet: true where it is to go although somebody is in it; null where nobody does.</summary>
    public bool? FindWish(Guid id) => Read(id, WishFile) is not { } wish ? null
        : wish.AsSpan().SequenceEqual("force"u8) ? true
        : wish.AsSpan().SequenceEqual("end"u8) ? false
        : null;

    /// <summary>Answers that one stays, since somebody is in it.</summary>
    public void Decline(Guid id) => Write(id, WishFile, "busy"u8.ToArray());

    /// <summary>Whether that was the answer to the latest wish.</summary>
    public bool IsDeclined(Guid id) => Read(id, WishFile) is { } answer && answer.AsSpan().SequenceEqual("busy"u8);

    /// <summary>The record of one that is served; null where it is not.</summary>
    public RecoveryMount? Find(Guid id) => state.Read(FileOf(id, RecordFile)) is { } content ? Decode(content) : null;

    /// <summary>All that are served, oldest first. What those have left that are not is cleared away.</summary>
    public IReadOnlyList<RecoveryMount> List()
    {
        var mounts = new List<RecoveryMount>();
        var living = new HashSet<string>(StringComparer.Ordinal);
        var dead = new List<(Guid Id, string Folder, IDisposable Held)>();
        try
        {
            foreach (string name in state.ListFolders(Folder))
            {
                if (!Guid.TryParseExact(name, "D", out Guid id))
                {
                    continue;
                }

                IDisposable? held = state.TryLock(Path.Combine(Folder, name, LockFile));
                string? place = Read(id, PlaceFile) is { } path ? Encoding.UTF8.GetString(path) : null;
                if (held is not null && place is not null)
                {
                    dead.Add((id, place, held));
                    continue;
                }

                // Without a place nothing was mounted. Whoever ordered it sees to it; one that was not ordered was killed as it began.
                if (held is not null && Read(id, OrderFile) is null)
                {
                    Remove(id);
                }

                held?.Dispose();
                living.UnionWith(held is null && place is not null ? [place] : []);
                mounts.AddRange(held is null && Find(id) is { } mount ? [mount] : []);
            }

            foreach ((Guid id, string folder, _) in dead)
            {
                // Its process was killed, and nobody sees it any more. Only what is on its folder is ours, unless another has come there since.
                if (!living.Contains(folder) && !wayOf(folder).Clean(id, folder))
                {
                    continue;
                }

                MountLayer.Clean(FileOf(id, MountLayer.Name));
                Remove(id);
            }
        }
        finally
        {
            dead.ForEach(one => one.Held.Dispose());
        }

        return [.. mounts.OrderBy(mount => mount.Started)];
    }

    /// <summary>Removes what is on record of one.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Remove(Guid id)
    {
        string folder = state.PathOf(Path.Combine(Folder, id.ToString("D")));
        for (int tries = 1; ; tries++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                // Somebody else has cleaned up.
                return;
            }
            catch (IOException) when (tries < RemovalTries)
            {
                // Whoever looks at it meanwhile has made its lock anew, or wants it to end.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw state.Denied(e);
            }
        }
    }

    /// <summary>Decodes a record; null where it is none.</summary>
    internal static RecoveryMount? Decode(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, MountJson.Default.RecoveryMount);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }
}
