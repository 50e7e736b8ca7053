using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Statuses;

/// <summary>Writes the statuses of a machine, in the form that the vault's owner has chosen. It outlives the opened vault that it comes from.</summary>
internal sealed class StatusWriter
{
    private readonly KnownVault _vault;
    private readonly MonitoringKey _key;
    private readonly string _machineName;

    /// <param name="vault">The vault.</param>
    /// <param name="key">That of the machine's chunk store.</param>
    /// <param name="machineName">What the vault calls the machine.</param>
    public StatusWriter(KnownVault vault, MonitoringKey key, string machineName) => (_vault, _key, _machineName) = (vault, key, machineName);

    /// <summary>Its id, where it is known; else the vault is asked.</summary>
    public MachineId? MachineId { get; set; }

    /// <summary>Writes a status; nothing where the vault's owner wants none.</summary>
    /// <param name="status">What it says; the name and the version are given here.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="isNews">From the newest status that can be read, null for none, to whether this one says anything new; null where it does.</param>
    /// <exception cref="BackupException">VaultDataCorrupt where the settings are damaged, or no number can follow; VaultUnreachable, VaultFull, …</exception>
    public async Task WriteAsync(RunStatus status, CancellationToken cancellationToken, Func<RunStatus?, bool>? isNews = null)
    {
        Task<MachineId> finding = MachineId is { } known ? Task.FromResult(known) : FindAsync(cancellationToken);
        VaultSettings settings = await new VaultSettingsRegister(_vault).ReadAsync(cancellationToken).ConfigureAwait(false);
        MachineId machineId = await finding.ConfigureAwait(false);
        if (settings.Statuses == StatusForm.Off)
        {
            return;
        }

        var series = new NumberedSeries<RunStatus>(
            _vault.Objects, VaultLayout.StatusesOf(machineId, status.Policy), (name, content) => StatusCodec.Decode([_key], _key.StoreId, _vault.VaultId, name, content).Status);
        RunStatus told = status with { Machine = _machineName, AgentVersion = Product.Version };
        await series.AppendAsync(
            async numbers => isNews is null || isNews(await series.ReadAsync(NumberedSeries.NewestOf(numbers), cancellationToken).ConfigureAwait(false)) ? told : null,
            (name, state) => StatusCodec.Encode(_key, _vault.VaultId, name, state, settings.Statuses == StatusForm.Sealed),
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<MachineId> FindAsync(CancellationToken cancellationToken) =>
        (await new MachineDirectory(_vault).FindAsync(_machineName, keys: null, cancellationToken).ConfigureAwait(false)).Id;
}
