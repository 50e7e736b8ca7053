using System.Security;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>
/// For cmdlets that work through a vault or run a job. The work runs on the thread pool and speaks through a <see cref="CmdletPump"/>; this thread, the
/// pipeline's, writes what comes. Ctrl+C cancels the work and waits until it has cleaned up.
/// </summary>
public abstract class OBEngineCmdlet : OBCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private CmdletPump? _pump;
    private bool _hasNoted;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs work to its end, and writes what it gives to the pump.</summary>
    /// <param name="work">
    /// Gets the pump and the token by which it is stopped. Its exceptions are this method's; when it was stopped, PipelineStoppedException is.
    /// </param>
    private protected void Run(Func<CmdletPump, CancellationToken, Task> work)
    {
        _pump = new CmdletPump(this, _stop);
        try
        {
            _pump.Run(work);
        }
        finally
        {
            _pump = null;
        }
    }

    /// <summary>Runs work to its end and returns its result.</summary>
    private protected T Run<T>(Func<CmdletPump, CancellationToken, Task<T>> work)
    {
        T result = default!;
        Run(async (pump, cancellationToken) => { result = await work(pump, cancellationToken).ConfigureAwait(false); });
        return result;
    }

    /// <summary>Opens a vault: this machine's own by its key, and any by its passphrase.</summary>
    /// <param name="location">Its folder or URL.</param>
    /// <param name="passphrase">What opens it; null for this machine's key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid: it is another's, and no passphrase was given; VaultNotFound, PassphraseRejected, …</exception>
    private protected Task<UnlockedVault> OpenVaultAsync(string location, SecureString? passphrase, CancellationToken cancellationToken) => passphrase.ToPlain() is { } plain
        ? Agent.OpenEngineAsync(new VaultAddress(location), plain, cancellationToken)
        : Agent.Machine.Registration?.VaultLocation == location
            ? Agent.OpenEngineAsync(cancellationToken)
            : throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The points of '{location}' cannot be read without its passphrase: it is not the vault that this machine is registered with.",
                "Give the passphrase with -EncryptionPassphrase.",
                location);

    /// <summary>Writes a vault, and a warning where something is amiss with it.</summary>
    private protected void WriteVault(VaultInfo vault, OBCostEstimate? cost = null, VaultProofSummary? proofs = null)
    {
        if (vault.Warning is { } warning)
        {
            WriteWarning(warning);
        }

        if (proofs?.DamagedPacks is [var pack, ..])
        {
            WriteWarning($"{proofs.DamagedPacks.Count} stored {(proofs.DamagedPacks.Count == 1 ? "pack is" : "packs are")} damaged or missing, as verification has found; the first is '{pack}'. Test-OBRecoveryPoint -Level Data says what suffers by it.");
        }

        bool isOwn = Agent.Machine.Registration is { } own && (own.VaultId, own.VaultLocation) == (vault.VaultId, vault.Location);
        WriteObject(vault.ToOutput(cost, proofs, isOwn ? Agent.Contact.Find()?.Last : null));
    }

    /// <summary>
    /// Brings the system's scheduler in line with a policy that was saved, paused or removed. Where it refuses, that is an error, and what was done stays done: the schedule can be
    /// registered later.
    /// </summary>
    private protected void AlignSchedule(PolicyKind kind)
    {
        ScheduleStatus status;
        try
        {
            status = Run((_, stop) => Agent.Schedules.AlignAsync(kind, stop));
        }
        catch (BackupException e) when (e.Id is BackupErrorId.SchedulerUnavailable or BackupErrorId.ScheduleNotRegistered)
        {
            WriteError(e);
            return;
        }

        if (status.Untold is { } untold)
        {
            WriteWarning($"{untold.Message} ({untold.Id}) {untold.RecommendedAction}");
        }

        if (status.Registration == ScheduleRegistration.NotUsed && status.NextRun is not null)
        {
            WriteWarning(RunAdvice(status));
        }
        else
        {
            WriteVerbose($"The schedule of the policy for {PolicyScope.Of(kind).Label} is {status.Registration} with {status.Scheduler ?? "no scheduler"}: {status.Place}");
        }
    }

    /// <summary>What is said where no scheduler of the system is used.</summary>
    private protected static string RunAdvice(ScheduleStatus status) =>
        $"This schedule does not run by itself: {SchedulerVariable.Name} keeps the module from registering it with the operating system. {status.Advice}";

    /// <inheritdoc/>
    protected sealed override void StopProcessing()
    {
        if (StopNote is { } note && !_stop.IsCancellationRequested)
        {
            Host.UI.WriteWarningLine(note);
        }

        _stop.Cancel();
    }

    /// <summary>What is said when somebody presses Ctrl+C; null for nothing.</summary>
    private protected virtual string? StopNote => null;

    /// <summary>Frees what the cmdlet holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stop.Dispose();
        }
    }

    // Nobody shall wonder why nothing comes; once is enough.
    private protected sealed override void Note(string text)
    {
        if (Interlocked.Exchange(ref _hasNoted, true))
        {
            _pump?.WriteVerbose(text);
        }
        else
        {
            _pump?.WriteWarning(text);
        }
    }
}
