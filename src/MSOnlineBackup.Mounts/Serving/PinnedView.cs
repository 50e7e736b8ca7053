using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Mounts.Serving;

/// <summary>A view of a vault of which no collection takes anything away as long as it is open: the vault has been told that somebody reads.</summary>
public sealed class PinnedView : IAsyncDisposable
{
    private readonly UnlockedVault _vault;
    private ReadingSession? _pin;

    private PinnedView(UnlockedVault vault, IItemView view, RecoveryPoint? point, ReadingSession? pin, BackupException? unpinned) =>
        (_vault, View, Point, _pin, Unpinned) = (vault, view, point, pin, unpinned);

    /// <summary>The view.</summary>
    public IItemView View { get; }

    /// <summary>The point that it shows; null where it shows all.</summary>
    public RecoveryPoint? Point { get; }

    /// <summary>Why the vault could not be told: who may only read it is shown it all the same. Null where it was.</summary>
    public BackupException? Unpinned { get; }

    /// <summary>Opens a point, or all of them. The vault must live longer.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="choose">Finds the point; null for all.</param>
    /// <param name="machine">Of all, only those of this machine; null for those of every one.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RecoveryPointNotFound, MachineNotFound, VaultUnreachable, ….</exception>
    public static async Task<PinnedView> OpenAsync(
        UnlockedVault vault, Func<Task<RecoveryPoint>>? choose, string? machine, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);

        // First the word that somebody reads, then the look at what is there: what is there then stays.
        (ReadingSession? pin, BackupException? unpinned) = await PinAsync(vault, cancellationToken).ConfigureAwait(false);
        try
        {
            RecoveryPoint? point = choose is null ? null : await choose().ConfigureAwait(false);
            IndexedVault index = await vault.IndexAsync(cancellationToken).ConfigureAwait(false);
            var options = new ViewOptions();
            IItemView view = await (point is null
                ? index.OpenViewAsync(machine, options, cancellationToken)
                : index.OpenViewAsync(point, options, cancellationToken)).ConfigureAwait(false);
            return new PinnedView(vault, view, point, pin, unpinned);
        }
        catch
        {
            if (pin is not null)
            {
                await pin.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    /// <summary>Says anew that somebody reads, for those who read longer than the day after which maintenance takes a reader that shows no sign of life for dead. One caller at a time.</summary>
    /// <exception cref="BackupException">VaultUnreachable, …: what was said before holds on.</exception>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        if (_pin is { } former)
        {
            _pin = await ReadingSession.BeginAsync(_vault.WithoutIndex(), cancellationToken).ConfigureAwait(false);
            await former.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Closes the view, and tells the vault that nobody reads any more.</summary>
    public async ValueTask DisposeAsync()
    {
        View.Dispose();
        if (_pin is not null)
        {
            await _pin.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<(ReadingSession? Pin, BackupException? Failure)> PinAsync(UnlockedVault vault, CancellationToken cancellationToken)
    {
        try
        {
            return (await ReadingSession.BeginAsync(vault.WithoutIndex(), cancellationToken).ConfigureAwait(false), null);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultAccessDenied or BackupErrorId.VaultFull or BackupErrorId.VaultDataProtected)
        {
            return (null, e);
        }
    }
}
