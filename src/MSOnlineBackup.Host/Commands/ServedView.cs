using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary>A vault that was unlocked, and a view of it, for as long as it is served.</summary>
internal sealed class ServedView : IAsyncDisposable
{
    private readonly UnlockedVault _vault;
    private readonly PinnedView _pinned;

    private ServedView(UnlockedVault vault, PinnedView pinned) => (_vault, _pinned) = (vault, pinned);

    /// <summary>The view.</summary>
    public IItemView View => _pinned.View;

    /// <summary>The point that it shows; null where it shows all.</summary>
    public RecoveryPoint? Point => _pinned.Point;

    /// <summary>Opens a point, or all of them.</summary>
    /// <param name="context">What was said.</param>
    /// <param name="selection">The vault.</param>
    /// <param name="choose">Finds the point; null for all.</param>
    /// <param name="machine">Only points of this machine; null for those of all.</param>
    public static async Task<ServedView> OpenAsync(
        CommandContext context, VaultSelection selection, Func<UnlockedVault, Task<RecoveryPoint>>? choose, string? machine)
    {
        UnlockedVault vault = await selection.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        try
        {
            PinnedView pinned = await PinnedView.OpenAsync(vault, choose is null ? null : () => choose(vault), machine, context.Stop).ConfigureAwait(false);
            if (pinned.Unpinned is { } failure)
            {
                context.Renderer.Warn(failure);
            }

            return new ServedView(vault, pinned);
        }
        catch
        {
            vault.Dispose();
            throw;
        }
    }

    /// <summary>Waits until whoever serves is told to stop.</summary>
    public static async Task WaitAsync(CommandContext context)
    {
        // What was written is read before the command ends.
        await context.Environment.Output.FlushAsync(context.Stop).ConfigureAwait(false);
        await Task.Delay(Timeout.InfiniteTimeSpan, context.Environment.Time, context.Stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Tells of what a server met.</summary>
    public static Action<Exception> Report(CommandContext context)
    {
        var damage = new ServedDamage(context.Renderer);
        return failure => damage.Warn(failure as BackupException ?? new BackupException(
            BackupErrorId.UnexpectedError, $"An unexpected error ended a connection: {failure}", "This is a bug, not a mistake of yours. Report it."));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _pinned.DisposeAsync().ConfigureAwait(false);
        _vault.Dispose();
    }
}
