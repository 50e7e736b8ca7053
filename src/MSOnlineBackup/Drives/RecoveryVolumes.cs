using System.Collections.Concurrent;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Drives;

/// <summary>What the drives of a session show: opened for the first that needs it, shared by all, and closed with the last.</summary>
internal sealed class RecoveryVolumes
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(UnlockedVault Vault, string PointId), RecoveryVolume> _volumes = [];

    /// <summary>Those of this session.</summary>
    public static RecoveryVolumes OfSession { get; } = new();

    /// <summary>What the user should know of while something takes longer, until somebody who waits says it.</summary>
    public ConcurrentQueue<string> Notes { get; } = new();

    /// <summary>Opens a volume, or shares one that is open.</summary>
    /// <param name="access">The way into the vault, with its passphrase; null for this machine's own.</param>
    /// <param name="point">The point; null for all points of the vault.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultUnreachable, PassphraseRejected, MachineNotRegistered, …</exception>
    public async Task<RecoveryVolume> OpenAsync(VaultAccess? access, RecoveryPoint? point, CancellationToken cancellationToken)
    {
        VaultLoan loan = await OpenVaults.OfSession.LendAsync(ModuleEnvironment.OpenAgent(Notes.Enqueue), access, VaultPatience.Person, Notes.Enqueue, cancellationToken).ConfigureAwait(false);
        RecoveryVolume? opened = null;
        try
        {
            (UnlockedVault, string) key = (loan.Vault, point?.SessionId.ToString() ?? "");
            if (Share(key) is { } shared)
            {
                return shared;
            }

            IndexedVault vault = await loan.IndexAsync(cancellationToken).ConfigureAwait(false);
            IItemView view = point is null
                ? await vault.OpenViewAsync(machineName: null, new ViewOptions(), cancellationToken).ConfigureAwait(false)
                : await vault.OpenViewAsync(point, new ViewOptions(), cancellationToken).ConfigureAwait(false);
            var volume = new RecoveryVolume(loan, view) { Users = 1 };
            lock (_gate)
            {
                // Where somebody else was faster, theirs is shared by those who come, and this one goes with its only user.
                _volumes.TryAdd(key, volume);
            }

            opened = volume;
            return volume;
        }
        finally
        {
            if (opened is null)
            {
                loan.Dispose();
            }
        }
    }

    /// <summary>One more uses a volume.</summary>
    public void Use(RecoveryVolume volume)
    {
        lock (_gate)
        {
            volume.Users++;
        }
    }

    /// <summary>One of those who use a volume has done with it. The last closes it.</summary>
    public void Release(RecoveryVolume volume)
    {
        lock (_gate)
        {
            if (--volume.Users > 0)
            {
                return;
            }

            foreach ((UnlockedVault, string) key in _volumes.Where(each => each.Value == volume).Select(each => each.Key).ToList())
            {
                _volumes.Remove(key);
            }
        }

        volume.Dispose();
    }

    private RecoveryVolume? Share((UnlockedVault Vault, string PointId) key)
    {
        lock (_gate)
        {
            if (_volumes.TryGetValue(key, out RecoveryVolume? volume))
            {
                volume.Users++;
            }

            return volume;
        }
    }
}
