namespace MSOnlineBackup.Engine.Machine;

/// <summary>This machine as a client of a vault.</summary>
public sealed class MachineAccount
{
    /// <summary>The registration; null where there is none.</summary>
    public MachineRegistration? Registration => throw new NotImplementedException();

    /// <summary>Whether a passphrase is set.</summary>
    public bool HasPassphrase => throw new NotImplementedException();

    /// <summary>The settings.</summary>
    public MachineSettings Settings => throw new NotImplementedException();

    /// <summary>Where the key file lies.</summary>
    public string ScratchFolder => throw new NotImplementedException();

    /// <summary>Registers by a credential file.</summary>
    public Task<MachineRegistration> RegisterAsync(string credentialFile, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Sets the passphrase: first, or a new one.</summary>
    public Task SetPassphraseAsync(string passphrase, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Makes the key file anew.</summary>
    public Task RepairKeyAsync(string passphrase, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Changes the settings.</summary>
    public void Update(Func<MachineSettings, MachineSettings> change) => throw new NotImplementedException();
}
