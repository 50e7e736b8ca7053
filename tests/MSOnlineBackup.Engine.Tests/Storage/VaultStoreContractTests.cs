using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Tests.Storage;

public sealed class FolderVaultStoreContractTests : VaultStoreContract, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    protected override IVaultStore CreateStore() => new FolderVaultStore(_folder.Path);
}

public sealed class MemoryVaultStoreContractTests : VaultStoreContract
{
    protected override IVaultStore CreateStore() => new MemoryVaultStore();
}

public sealed class RecordingVaultStoreContractTests : VaultStoreContract
{
    protected override IVaultStore CreateStore() => new RecordingVaultStore(new MemoryVaultStore());
}

public sealed class ResilientVaultStoreContractTests : VaultStoreContract
{
    protected override IVaultStore CreateStore() => new ResilientVaultStore(new MemoryVaultStore());
}

public sealed class MeteredVaultStoreContractTests : VaultStoreContract
{
    protected override IVaultStore CreateStore() => new MeteredVaultStore(new MemoryVaultStore());
}

/// <summary>Every third call beneath is reported as failed after it was done: nobody notices.</summary>
public sealed class ResilientOverFaultyVaultStoreContractTests : VaultStoreContract
{
    // Racing calls can be hit again and again, and time flies where nobody waits: enough patience that none ever comes to its end.
    protected override IVaultStore CreateStore() => new ResilientVaultStore(
        new FaultyVaultStore(new MemoryVaultStore()) { FailEvery = 3, Timing = FaultTiming.AfterEffect },
        new VaultRetryOptions { Patience = TimeSpan.FromDays(1000) },
        new FakeClock { SkipsWaits = true });
}
