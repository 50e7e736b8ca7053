using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>A workload to be recovered to a moment, beside what there is.</summary>
public sealed record WorkloadRecoveryOrder : JobOrder
{
    /// <summary>An order to recover.</summary>
    public WorkloadRecoveryOrder()
        : base(JobKind.Recovery)
    {
    }

    /// <summary>The workload's name.</summary>
    public required string Workload { get; init; }

    /// <summary>To which moment; null for the latest.</summary>
    public DateTimeOffset? ToTime { get; init; }

    /// <summary>The folder to make; it does not exist, or is empty.</summary>
    public required string TargetFolder { get; init; }

    /// <summary>Whose workload.</summary>
    public required string MachineName { get; init; }

    /// <summary>The vault; null for this machine's own. Its secret is never written to disk.</summary>
    public VaultAddress? Vault { get; init; }

    /// <summary>The passphrase; null for this machine's own key. Never written to disk.</summary>
    public string? Passphrase { get; init; }

    /// <inheritdoc/>
    internal override IReadOnlyList<JobSecret> Secrets =>
    [
        .. Passphrase is null ? [] : new[] { new JobSecret(RecoveryOrder.PassphraseName, Passphrase) },
        .. Vault?.Secret is null ? [] : new[] { new JobSecret(RecoveryOrder.VaultSecretName, Vault.Secret) },
    ];

    /// <inheritdoc/>
    private protected override string What => Workload;

    /// <inheritdoc/>
    internal override JobOrder WithSecrets(IReadOnlyList<JobSecret> secrets)
    {
        string? Find(string name) => secrets.FirstOrDefault(secret => secret.Name == name)?.Value;
        return this with { Passphrase = Find(RecoveryOrder.PassphraseName), Vault = Vault is null ? null : Vault with { Secret = Find(RecoveryOrder.VaultSecretName) } };
    }

    /// <inheritdoc/>
    internal override JobOrder ToWritten() => this with
    {
        Passphrase = null,
        TargetFolder = Path.GetFullPath(TargetFolder),
        Vault = Vault is null ? null : Vault with { Secret = null },
    };

    /// <inheritdoc/>
    internal override void Check(JobMachine machine)
    {
        WorkloadKinds.RequireSupport();
        RecoveryOrder.RequirePassphrase(machine, Vault, Passphrase);
        WorkloadTarget.Require(TargetFolder);
    }

    /// <inheritdoc/>
    internal override JobPlan Prepare(JobMachine machine)
    {
        Check(machine);
        return new JobPlan(monitor => SourceStatuses.OfRecovery(monitor, Workload), (work, stop) => RunAsync(machine, work, stop));
    }

    private async Task RunAsync(JobMachine machine, JobWork work, CancellationToken stop)
    {
        using UnlockedVault vault = await RecoveryOrder.OpenVaultAsync(machine, Vault, Passphrase, work.Monitor, stop).ConfigureAwait(false);
        work.ReadTraffic = () => vault.Traffic;
        await machine.Contact.AdmitRestoreAsync(vault.Vault, isForced: false, stop).ConfigureAwait(false);
        WorkloadChain chain = await WorkloadTarget.RecoverAsync(
            vault, MachineName, Workload, ToTime, TargetFolder, work.Monitor, chosen => work.RecoveryPointId = chosen.Full.Id, stop).ConfigureAwait(false);
        work.Monitor.Note(WorkloadKinds.Recovery(chain.Full.Point.Kind, machine.Clock).Advise(chain, Path.GetFullPath(TargetFolder)));
    }
}
