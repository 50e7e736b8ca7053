using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests.Management;

public sealed class AzureResourceIdTests
{
    [Theory]
    [InlineData("/subscriptions/a/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1")]
    [InlineData("/SUBSCRIPTIONS/a/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm1")]
    public void An_address_is_read_in_any_case(string text) =>
        Assert.Equal("/subscriptions/a/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1", AzureResourceId.Parse(text, AzureResourceId.Machines).ToString());

    [Theory]
    [InlineData("/subscriptions/a/resourceGroups/g/providers/Microsoft.Compute/disks/d")]
    [InlineData("/subscriptions/a/resourceGroups/g/providers/Microsoft.Compute/virtualMachines")]
    [InlineData("/subscriptions/a/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1/extensions/e")]
    [InlineData("/subscriptions/a/resourceGroups/../providers/Microsoft.Compute/virtualMachines/vm1")]
    [InlineData("/subscriptions/a/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1?x")]
    [InlineData("/subscriptions/a/resourceGroups/g/providers/Microsoft.Storage/virtualMachines/vm1")]
    [InlineData("/subscriptions/")]
    public void What_is_none_of_a_machine_is_refused(string text)
    {
        Assert.True(AzureResourceId.IsMeant(text));
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => AzureResourceId.Parse(text, AzureResourceId.Machines)).Id);
    }

    [Theory]
    [InlineData(null, "https://management.azure.com/")]
    [InlineData("https://login.microsoftonline.com/", "https://management.azure.com/")]
    [InlineData("https://login.microsoftonline.us", "https://management.usgovcloudapi.net/")]
    [InlineData("login.chinacloudapi.cn", "https://management.chinacloudapi.cn/")]
    public void The_resource_manager_is_that_of_the_cloud_where_users_sign_in(string? authority, string endpoint) => Assert.Equal(endpoint, AzureAccess.EndpointOf(authority).AbsoluteUri);

    [Fact]
    public void An_unknown_cloud_is_refused() => Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => AzureAccess.EndpointOf("https://login.example/")).Id);
}
