using System.Text.Json;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Mounting;

/// <summary>
/// The mounts of this machine, one folder each: its record, its order, the wish to end it. Whoever serves one holds its lock, which the system takes back when the process
/// ends; so one whose process was killed is found, and cleaned, by whoever looks next.
/// </summary>
internal sealed class MountRecords(StateFolder state)
{
    /// <summary>Whoever wants a mount to end creates a file of this name in its folder; "force" in it: although somebody is in it.</summary>
    public const string StopFile = "stop";

    /// <summary>The order's name.</summary>
    public const string OrderFile = "order.json";

    private const string Folder = "mounts";
    private const string RecordFile = "mount.json";
    private const string LockFile = "lock";

    /// <summary>A file of a mount's.</summary>
    public string FileOf(Guid id, string name) => state.PathOf(Path.Combine(Folder, id.ToString("D"), name));

    /// <summary>Makes the folder of one, and takes its lock.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public IDisposable Hold(Guid id)
    {
        state.MakeFolder(Folder);
        state.MakeFolder(Path.Combine(Folder, id.ToString("D")));
        return state.TryLock(Path.Combine(Folder, id.ToString("D"), LockFile)) ?? throw new BackupException(
            BackupErrorId.MountFailed, $"The mount {id} is being served already.", "Mount again.", id.ToString());
    }

    /// <summary>Writes a record.</summary>
    public void Write(RecoveryMount mount) => state.Replace(FileOf(mount.Id, RecordFile), JsonSerializer.SerializeToUtf8Bytes(mount, MountJson.Default.RecoveryMount));

    /// <summary>Writes another file of a mount's.</summary>
    public void Write(Guid id, string name, byte[] content) => state.Replace(FileOf(id, name), content);

    /// <summary>Another file of a mount's; null where there is none.</summary>
    public byte[]? Read(Guid id, string name) => state.Read(FileOf(id, name));

    /// <summary>The record of one that is served; null where it is not.</summary>
    public RecoveryMount? Find(Guid id) => state.Read(FileOf(id, RecordFile)) is { } content ? Decode(content) : null;

    /// <summary>All that are served, oldest first. What those have left that are not is cleared away.</summary>
    public IReadOnlyList<RecoveryMount> List()
    {
        var mounts = new List<RecoveryMount>();
        foreach (string name in state.ListFolders(Folder))
        {
            if (!Guid.TryParseExact(name, "D", out Guid id))
            {
                continue;
            }

            using IDisposable? held = state.TryLock(Path.Combine(Folder, name, LockFile));
            RecoveryMount? mount = Find(id);
            if (held is null)
            {
                mounts.AddRange(mount is null ? [] : [mount]);
            }
            else if (mount is not null)
            {
                // Its process was killed. Nobody sees it any more; only what is on its folder is ours.
                MountFolder.Clean(mount.Folder);
                MountLayer.Clean(FileOf(id, MountLayer.Name));
                Remove(id);
            }
        }

        return [.. mounts.OrderBy(mount => mount.Started)];
    }

    /// <summary>Removes what is on record of one.</summary>
    public void Remove(Guid id)
    {
        try
        {
            Directory.Delete(state.PathOf(Path.Combine(Folder, id.ToString("D"))), recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody else has cleaned up.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw state.Denied(e);
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
