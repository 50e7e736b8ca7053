using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

public sealed class BlobVaultStoreContractTests : VaultStoreContract
{
    public BlobVaultStoreContractTests() => Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);

    protected override IVaultStore CreateStore() => BlobVaultStore.Create(AzuriteServer.Shared.NewContainer(), new VaultConnection());
}

public sealed class ResilientBlobVaultStoreContractTests : VaultStoreContract
{
    public ResilientBlobVaultStoreContractTests() => Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);

    protected override IVaultStore CreateStore() => new ResilientVaultStore(BlobVaultStore.Create(AzuriteServer.Shared.NewContainer(), new VaultConnection()));
}
