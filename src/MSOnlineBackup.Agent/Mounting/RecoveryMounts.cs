using System.Diagnostics;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Mounts;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Mounting;

/// <summary>The recovery points that are mounted on this machine: by processes of their own, which outlive the sessions that started them, or by whoever runs <c>obengine mount</c>.</summary>
public sealed class RecoveryMounts
{
    private const string FailureFile = "failure.json";
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private readonly JobMachine _machine;
    private readonly MountRecords _records;
    private readonly IReadOnlyList<string>? _program;

    internal RecoveryMounts(JobMachine machine, IReadOnlyList<string>? program, Func<string, IMountWay>? wayOf = null) =>
        (_machine, _records, _program) = (machine, new MountRecords(machine.State, machine.Clock, wayOf ?? MountWays.Of), program);

    /// <summary>The drive letter that a place is, as "R:" of "r:\"; null where it is none, and on systems that have none.</summary>
    public static string? DriveOf(string place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return MountWays.DriveOf(place);
    }

    /// <summary>All mounts, oldest first. What a killed process has left is taken off, and is none.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public IReadOnlyList<RecoveryMount> List() => _records.List();

    /// <summary>Mounts, by a process of its own that goes on when this one ends. Returns as soon as the mount is there.</summary>
    /// <exception cref="BackupException">JobHostMissing, StateAccessDenied; MountUnavailable, MountFolderInvalid, PassphraseRejected and whatever else the process could not do: nothing is mounted.</exception>
    public async Task<RecoveryMount> StartAsync(MountOrder order, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        var id = JobHistory.NewId();
        _ = _records.List();
        _records.Write(id, MountRecords.OrderFile, new MountOrderFile(MountOrderFile.Current, _machine.Limits.Name, _machine.OwnName, order with { Folder = DriveOf(order.Folder) ?? Path.GetFullPath(order.Folder) }).Encode());
        string log = _records.FileOf(id, "log.txt");
        try
        {
            using Process process = JobHostProcess.Start(
                _program, ["mount", "run", id.ToString("D"), "--state", _machine.State.Path], [order.Passphrase ?? string.Empty, order.Vault?.Secret ?? string.Empty], log);
            long start = _machine.Clock.GetTimestamp();
            while (true)
            {
                bool ended = process.HasExited;
                if (_records.Find(id) is { } mount)
                {
                    return mount;
                }

                if (ended || _machine.Clock.GetElapsedTime(start) > _patience)
                {
                    throw NotMounted(id, order, ended);
                }

                await Task.Delay(_poll, _machine.Clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            if (e is OperationCanceledException)
            {
                // It finds the wish as soon as it is there.
                _records.Wish(id, force: true);
            }
            else
            {
                _records.Remove(id);
            }

            throw;
        }
    }

    /// <summary>Serves, in this process, a mount that another one has ordered.</summary>
    /// <param name="id">The mount.</param>
    /// <param name="readSecret">Reads the next line that the starter hands over.</param>
    /// <param name="trouble">Is told what could not be read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">MountNotFound: there is no such order. Others: nothing is mounted.</exception>
    public async Task<RecoveryMount> RunStartedAsync(
        Guid id, Func<CancellationToken, Task<string?>> readSecret, Action<string, BackupException> trouble, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(readSecret);
        string path = _records.FileOf(id, MountRecords.OrderFile);
        MountOrderFile file = _records.Read(id, MountRecords.OrderFile) is { } content ? MountOrderFile.Decode(content, path) : throw NotFound(id.ToString());
        JobHostProcess.LeaveTerminal();
        try
        {
            string? passphrase = await readSecret(cancellationToken).ConfigureAwait(false);
            string? secret = await readSecret(cancellationToken).ConfigureAwait(false);
            MountOrder order = file.Order with
            {
                Passphrase = string.IsNullOrEmpty(passphrase) ? null : passphrase,
                Vault = file.Order.Vault is { } vault ? vault with { Secret = string.IsNullOrEmpty(secret) ? null : secret } : null,
            };
            JobMachine machine = _machine with { Limits = PolicyLimits.Find(file.Limits) ?? _machine.Limits, OwnName = file.MachineName };
            using UnlockedVault opened = await OpenAsync(machine, order, cancellationToken).ConfigureAwait(false);
            await machine.Contact.AdmitRestoreAsync(opened.Vault, order.EvenDeprovisioned, cancellationToken).ConfigureAwait(false);
            return await new MountServer(_records, _machine.Clock, trouble).RunAsync(id, order, opened, _ => { }, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            // Nobody but this file can tell the starter.
            _records.Write(id, FailureFile, MountFailure.Encode(e));
            throw;
        }
    }

    /// <summary>Serves a mount in this process.</summary>
    /// <param name="order">What, and where.</param>
    /// <param name="vault">The vault.</param>
    /// <param name="mounted">Is told as soon as it is there.</param>
    /// <param name="trouble">Is told what could not be read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<RecoveryMount> ServeAsync(
        MountOrder order, UnlockedVault vault, Action<RecoveryMount> mounted, Action<string, BackupException> trouble, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(vault);
        _ = _records.List();
        return new MountServer(_records, _machine.Clock, trouble).RunAsync(JobHistory.NewId(), order, vault, mounted, cancellationToken);
    }

    /// <summary>Ends a mount, in whatever process it is served, and returns when it is gone.</summary>
    /// <param name="folderOrId">Its folder, or its id.</param>
    /// <param name="force">Whether it goes although somebody is in it, who gets errors then.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BackupException">MountNotFound, MountBusy, StateAccessDenied.</exception>
    public async Task<RecoveryMount> StopAsync(string folderOrId, bool force, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folderOrId);
        RecoveryMount mount = Find(folderOrId);
        _records.Wish(mount.Id, force);
        long start = _machine.Clock.GetTimestamp();
        while (true)
        {
            if (_records.Find(mount.Id) is null || _records.List().All(other => other.Id != mount.Id))
            {
                // Nobody serves it, and it could not be cleared.
                return _records.Find(mount.Id) is null ? mount : throw _records.WayOf(mount.Folder).Busy(mount.Folder);
            }

            if (_records.IsDeclined(mount.Id))
            {
                throw _records.WayOf(mount.Folder).Busy(mount.Folder);
            }

            if (_machine.Clock.GetElapsedTime(start) > _patience)
            {
                throw new BackupException(
                    BackupErrorId.MountBusy,
                    $"The mount on '{mount.Folder}' was asked to end and has not; process {mount.ProcessId} serves it.",
                    $"End process {mount.ProcessId}, and list the mounts: what it leaves is taken off then.",
                    mount.Folder);
            }

            await Task.Delay(_poll, _machine.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private static Task<UnlockedVault> OpenAsync(JobMachine machine, MountOrder order, CancellationToken stop)
    {
        var monitor = new JobMonitor();
        return order is { Passphrase: null, Vault: { IsSecondary: true } copy } ? machine.Vaults.OpenTwinAsync(copy, monitor, VaultPatience.Person, stop)
            : order.Passphrase is null ? machine.Vaults.OpenAsync(monitor, VaultPatience.Person, stop)
            : machine.Vaults.OpenAsync(
                order.Vault ?? machine.Account.Registration?.VaultLocation ?? throw new BackupException(
                    BackupErrorId.RecoveryOptionMissing,
                    "No vault was named, and this machine is not registered with one.",
                    "Name the vault, or register the machine with Start-OBRegistration."),
                order.Passphrase,
                monitor,
                VaultPatience.Person,
                stop);
    }

    private static BackupException NotFound(string what) => new(
        BackupErrorId.MountNotFound, $"Nothing of this program is mounted at '{what}'.", "Get-OBRecoveryMount and 'obengine mounts' show what is mounted.", what);

    private RecoveryMount Find(string folderOrId)
    {
        string place = _records.WayOf(folderOrId).Resolve(folderOrId);
        StringComparison comparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return List().FirstOrDefault(mount => mount.Id.ToString("D").Equals(folderOrId, StringComparison.OrdinalIgnoreCase) || mount.Folder.Equals(place, comparison)) ?? throw NotFound(folderOrId);
    }

    private BackupException NotMounted(Guid id, MountOrder order, bool ended)
    {
        if (_records.Read(id, FailureFile) is { } content && MountFailure.Decode(content) is { } failure)
        {
            return failure;
        }

        string log = _records.FileOf(id, "log.txt");
        string wrote = File.Exists(log) ? File.ReadAllText(log).Trim() : string.Empty;
        return new BackupException(
            BackupErrorId.MountFailed,
            ended ? $"The process that was to serve the mount on '{order.Folder}' ended early: {wrote}" : $"The mount on '{order.Folder}' was not there within {_patience.TotalMinutes} minutes.",
            "Mount it with 'obengine mount', which shows what is wrong.",
            order.Folder);
    }
}
