using System.Text;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Platform.Folders;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>What this machine knows of agents on others: a folder for each in its state, with the record, the pinned key of the host, and a lock.</summary>
internal sealed class RemoteAgentRecords(StateFolder state)
{
    private const string Folder = "agents";
    private const string RecordFile = "agent.json";
    private const string KnownHostsFile = "known_hosts";
    private const string LockFile = "lock";
    private const string JobLockFile = "job";

    /// <summary>A name for a file in which something is put together, and that nobody else has.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public string NewFile()
    {
        state.MakeFolder(Folder);
        return state.PathOf(Path.Combine(Folder, $".{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8))}"));
    }

    /// <summary>Takes the lock of a machine; null where another process has it.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public IDisposable? TryLock(string host)
    {
        state.MakeFolder(Folder);
        state.MakeFolder(FolderOf(host));
        return state.TryLock(Path.Combine(FolderOf(host), LockFile));
    }

    /// <summary>Takes the right to run a job of a machine; null where another process, or this one, runs one.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public IDisposable? TryLockJob(string host) => state.TryLock(Path.Combine(FolderOf(host), JobLockFile));

    /// <summary>The record of a machine; null where there is none.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateInvalid, StateAccessDenied.</exception>
    public RemoteAgent? Find(string host) => FileOf(host).Read();

    /// <summary>All names of machines that have a folder.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public IReadOnlyList<string> Names() => [.. state.ListFolders(Folder).Select(Uri.UnescapeDataString).Order(StringComparer.Ordinal)];

    /// <summary>Writes a record. Whoever does has the machine's lock.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public void Write(RemoteAgent agent) => FileOf(agent.Machine.HostName).Replace(agent);

    /// <summary>The file with the pinned key of a host, under its name.</summary>
    public string KnownHosts(string host) => state.PathOf(Path.Combine(FolderOf(host), KnownHostsFile));

    /// <summary>The pinned key of a host; null where there is none.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public HostKey? FindKey(string host) => state.Read(Path.Combine(FolderOf(host), KnownHostsFile)) is { } content ? HostKey.Find(Encoding.UTF8.GetString(content)) : null;

    /// <summary>Pins the key of a host.</summary>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public void Pin(string host, HostKey key)
    {
        state.MakeFolder(Folder);
        state.MakeFolder(FolderOf(host));
        state.Replace(Path.Combine(FolderOf(host), KnownHostsFile), Encoding.UTF8.GetBytes(key.LineFor(new RemoteMachine { HostName = host }.Alias)));
    }

    /// <summary>Forgets a machine, and the key of its host.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="held">Its lock.</param>
    /// <exception cref="Vaults.Errors.BackupException">StateAccessDenied.</exception>
    public void Remove(string host, IDisposable held)
    {
        string folder = state.PathOf(FolderOf(host));
        try
        {
            File.Delete(Path.Combine(folder, RecordFile));
            File.Delete(Path.Combine(folder, KnownHostsFile));
            Durability.FlushFolder(folder);
            held.Dispose();
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw state.Denied(e);
        }
    }

    private static string FolderOf(string host) => Path.Combine(Folder, Uri.EscapeDataString(host.ToLowerInvariant()));

    private StateFile<RemoteAgent> FileOf(string host) => new(
        state, Path.Combine(FolderOf(host), RecordFile), RemoteAgentJson.Default.RemoteAgent, "delete its folder and run Install-OBAgent or 'obengine agent install' again");
}
