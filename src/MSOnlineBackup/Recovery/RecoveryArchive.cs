using System.Globalization;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Recovery;

/// <summary>The recovery points of one machine, in a vault that is open.</summary>
internal sealed class RecoveryArchive : IDisposable
{
    /// <summary>A point's time as completion offers it, in local time.</summary>
    public const string TimeForm = "yyyy-MM-dd HH:mm:ss";

    private const int NamedMachines = 10;

    private readonly VaultLoan _loan;

    private RecoveryArchive(VaultLoan loan, string machineName, VaultAccess? access)
    {
        _loan = loan;
        MachineName = machineName;
        Access = access;
    }

    /// <summary>The machine.</summary>
    public string MachineName { get; }

    /// <summary>The way in; null for this machine's own vault.</summary>
    public VaultAccess? Access { get; }

    /// <summary>Opens the vault that holds a machine's recovery points: by the passphrase given with it, else by this machine's own key.</summary>
    /// <param name="agent">This machine's agent.</param>
    /// <param name="machineName">The machine whose points are wanted; null or empty for this one.</param>
    /// <param name="access">The way into the vault; null for this machine's own.</param>
    /// <param name="patience">Who waits for the vault.</param>
    /// <param name="note">Told, from any thread, what the user should know of while something takes longer.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// RecoveryOptionMissing: the passphrase is needed. PassphraseRejected, MachineNotRegistered, VaultNotFound, …
    /// </exception>
    public static async Task<RecoveryArchive> OpenAsync(
        BackupAgent agent, string? machineName, VaultAccess? access, VaultPatience patience, Action<string> note, CancellationToken cancellationToken)
    {
        MachineRegistration? own = agent.Machine.Registration;
        string name = string.IsNullOrEmpty(machineName) ? own?.MachineName ?? agent.Machine.Name : machineName;
        if (access?.Passphrase is string)
        {
            return new RecoveryArchive(
                await OpenVaults.OfSession.LendAsync(agent, access, patience, note, cancellationToken).ConfigureAwait(false), name, access);
        }

        bool isCopy = access is { Vault.IsSecondary: true };
        if (access is not null && ((!isCopy && access.Vault.Location != own?.VaultLocation) || !agent.Machine.HasPassphrase))
        {
            throw PassphraseNeeded(name);
        }

        var archive = new RecoveryArchive(
            await OpenVaults.OfSession.LendAsync(agent, isCopy ? access : null, patience, note, cancellationToken).ConfigureAwait(false), name, access);
        try
        {
            // Machines with the same passphrase open each other's points; those with another are not even seen.
            if (own?.IsNamed(name) != true
                && (await archive.ListAsync(cancellationToken).ConfigureAwait(false)).Count == 0
                && (await archive.Deletions.ListAsync(name, cancellationToken).ConfigureAwait(false)).Count == 0)
            {
                VaultAddress vault = isCopy ? access!.Vault : own!.VaultLocation;
                IReadOnlyList<VaultMachine> machines = await agent.Vaults.ListMachinesAsync(vault, cancellationToken).ConfigureAwait(false);
                throw machines.Any(machine => machine.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                    ? PassphraseNeeded(name)
                    : Unknown(name, vault, machines);
            }

            return archive;
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <summary>Whether another archive's points lie in the same vault, in the same place of its twins, under the same passphrase.</summary>
    public bool SharesChunksWith(RecoveryArchive other) =>
        (_loan.Vault.VaultId, _loan.Vault.Vault.CopyId) == (other._loan.Vault.VaultId, other._loan.Vault.Vault.CopyId) && _loan.Vault.Key.StoreId == other._loan.Vault.Key.StoreId;

    /// <summary>Points that are deleted and can be brought back.</summary>
    public PointDeletions Deletions => _loan.Vault.Deletions;

    /// <summary>The machine's points, newest first.</summary>
    public Task<RecoveryPointList> ListAsync(CancellationToken cancellationToken) => _loan.Vault.ListPointsAsync(MachineName, cancellationToken);

    /// <summary>The machine's points, newest first, and which of this machine's known copies of its vault have each; also those that only copies have.</summary>
    /// <param name="agent">This machine's agent.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RecoveryOptionMissing where no copy is known.</exception>
    public Task<PointPlaces> FindPlacesAsync(BackupAgent agent, CancellationToken cancellationToken) => agent.Copies.FindPlacesAsync(_loan.Vault, MachineName, cancellationToken);

    /// <summary>The point of an id, of the beginning of one, or of a time as <see cref="PointTime"/> reads it.</summary>
    /// <exception cref="BackupException">RecoveryPointNotFound, RecoveryPointAmbiguous; VaultDataCorrupt, … where it is there and cannot be read.</exception>
    public async Task<RecoveryPoint> FindAsync(string idOrTime, CancellationToken cancellationToken)
    {
        RecoveryPointList points = await ListAsync(cancellationToken).ConfigureAwait(false);
        DamagedPoint[] damaged = [.. points.Damaged.Where(point => point.SessionId.BeginsWith(idOrTime))];
        RecoveryPoint[] found = [.. points.Where(point => point.SessionId.BeginsWith(idOrTime))];
        string readAs = "";
        if (found.Length + damaged.Length == 0 && PointTime.TryParse(idOrTime, out PointTime time))
        {
            (found, damaged) = time.Among(points);
            readAs = $": read as a time, it means {time}";
        }

        return found switch
        {
            [RecoveryPoint only] when damaged.Length == 0 => only,
            [] when damaged.Length > 0 => throw damaged[0].ToError(),
            [] => throw new BackupException(
                BackupErrorId.RecoveryPointNotFound,
                $"'{MachineName}' has no recovery point '{idOrTime}'{readAs}.",
                "Get-OBRecoverableSource | Get-OBRecoverableItem lists the recovery points; "
                    + "one may have expired "
                    + $"since.{(readAs.Length > 0 ? " A time without a zone is local; for UTC, put a 'Z' at the end, as lists show it." : "")}",
                idOrTime),
            _ => throw new BackupException(
                BackupErrorId.RecoveryPointAmbiguous,
                $"'{idOrTime}' matches {found.Length + damaged.Length} recovery points of '{MachineName}', "
                    + $"among them {found[0].SessionId} and {(found.Length > 1 ? found[1].SessionId : damaged[0].SessionId)}.",
                "Give more digits of the id, or the time to the second.",
                idOrTime),
        };
    }

    /// <summary>One item of a point.</summary>
    /// <param name="point">The point.</param>
    /// <param name="path">Its full path, as listings have it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RecoverableItemNotFound.</exception>
    public ValueTask<RecoverableItem> GetItemAsync(RecoveryPoint point, string path, CancellationToken cancellationToken) =>
        ListItemsAsync(point, path, recursive: true, cancellationToken).FirstAsync(cancellationToken);

    /// <summary>The items of a point at or below a full path; null for the roots.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound.</exception>
    public async IAsyncEnumerable<RecoverableItem> ListItemsAsync(
        RecoveryPoint point, string? path, bool recursive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IndexedVault index = await IndexAsync(cancellationToken).ConfigureAwait(false);
        await foreach (RecoverableItem item in index.ListItemsAsync(point, path, recursive, cancellationToken).ConfigureAwait(false))
        {
            yield return item;
        }
    }

    /// <inheritdoc cref="OpenVault.IndexAsync"/>
    public Task<IndexedVault> IndexAsync(CancellationToken cancellationToken, JobMonitor? monitor = null) => _loan.IndexAsync(cancellationToken, monitor);

    /// <summary>Gives the vault back, which stays open for a while.</summary>
    public void Dispose() => _loan.Dispose();

    /// <summary>When a point was begun, by this machine's clock and zone.</summary>
    public static string TimeOf(RecoveryPoint point) => point.Started.LocalDateTime.ToString(TimeForm, CultureInfo.InvariantCulture);

    private static BackupException Unknown(string machineName, VaultAddress vault, IReadOnlyList<VaultMachine> machines) => new(
        BackupErrorId.RecoveryPointNotFound,
        $"The vault '{vault}' has no machine named '{machineName}'.",
        $"Give the name as the vault has it. It has {(machines.Count > NamedMachines ? "among others " : "")}{string.Join(", ", machines.Take(NamedMachines).Select(machine => $"'{machine.Name}'"))}; Get-OBAlternateBackupServer lists the machines of any vault.",
        machineName);

    private static BackupException PassphraseNeeded(string machineName) => new(
        BackupErrorId.RecoveryOptionMissing,
        $"Everything that '{machineName}' backed up is encrypted, including names, and its passphrase was not given.",
        "Give the passphrase to Get-OBAlternateBackupServer -EncryptionPassphrase, then browse what it returns.",
        machineName);
}
