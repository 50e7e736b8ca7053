using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage;

public sealed class ObjectNameTests
{
    [Fact]
    public void Legal_names_are_told_from_illegal_ones()
    {
        Assert.All(VaultStoreContract.LegalNames, row => Assert.True(ObjectName.IsValid(row.Data)));
        Assert.All(VaultStoreContract.IllegalNames, row => Assert.False(ObjectName.IsValid(row.Data)));
    }
}
