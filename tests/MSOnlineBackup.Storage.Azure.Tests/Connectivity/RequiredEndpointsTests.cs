using System.Net;
using MSOnlineBackup.Storage.Azure.Connectivity;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Connectivity;

public sealed class RequiredEndpointsTests
{
    [Fact]
    public void All_that_the_original_lists_is_there()
    {
        string[] hosts = ["www.msftncsi.com", "www.msftconnecttest.com", "*.Microsoft.com", "*.WindowsAzure.com", "*.MicrosoftOnline.com", "*.Windows.net"];

        Assert.Empty(hosts.Except(RequiredEndpoints.ForAzure.Select(endpoint => endpoint.Host)));
        Assert.Empty(hosts.Except(RequiredEndpoints.For("https://account.blob.core.windows.net/vault").Select(endpoint => endpoint.Host)));
    }

    [Theory]
    [InlineData("20.190.127.255", false)]
    [InlineData("20.190.128.0", true)]
    [InlineData("20.190.191.255", true)]
    [InlineData("20.190.192.0", false)]
    [InlineData("40.125.255.255", false)]
    [InlineData("40.126.0.0", true)]
    [InlineData("40.126.63.255", true)]
    [InlineData("40.126.64.0", false)]
    public void The_addresses_of_the_sign_in_are_in_the_published_ranges_to_their_edges(string address, bool isInside) =>
        Assert.Equal(isInside, SignIn().IsPublished([IPAddress.Parse(address)]));

    [Fact]
    public void One_address_outside_is_enough_and_of_others_than_IPv4_nothing_is_said()
    {
        Assert.False(SignIn().IsPublished([IPAddress.Parse("40.126.0.1"), IPAddress.Parse("8.8.8.8")]));
        Assert.True(SignIn().IsPublished([IPAddress.Parse("40.126.0.1"), IPAddress.IPv6Loopback]));
        Assert.Null(SignIn().IsPublished([IPAddress.IPv6Loopback]));
        Assert.Null(RequiredEndpoints.ForAzure[0].IsPublished([IPAddress.Loopback]));
    }

    [Fact]
    public void The_vault_comes_first_with_its_own_host_and_an_emulator_needs_nothing_else()
    {
        RequiredEndpoint vault = RequiredEndpoints.For("https://account.blob.core.windows.net/vault")[0];
        Assert.Equal(("account.blob.core.windows.net", 443, true, "Storage"), (vault.Host, vault.Port, vault.IsVault, vault.ServiceTag));

        RequiredEndpoint emulator = Assert.Single(RequiredEndpoints.For("http://127.0.0.1:10000/devstoreaccount1/vault"));
        Assert.Equal(("127.0.0.1", 10000, null), (emulator.Host, emulator.Port, emulator.ServiceTag));

        // As a question about the container: without the query the emulator does not answer as Blob Storage does.
        Assert.Equal("http://127.0.0.1:10000/devstoreaccount1/vault?restype=container", emulator.Probe.AbsoluteUri);
    }

    [Fact]
    public void What_is_no_container_is_refused() =>
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => RequiredEndpoints.For("http://example.com/account/vault")).Id);

    [Fact]
    public void Rules_of_a_network_security_group_are_as_a_resource_template_takes_them()
    {
        const string Expected = """
            [
              {
                "name": "AllowStorageOutbound",
                "properties": {
                  "description": "MSOnlineBackup: the vault",
                  "direction": "Outbound",
                  "access": "Allow",
                  "protocol": "Tcp",
                  "sourceAddressPrefix": "VirtualNetwork",
                  "sourcePortRange": "*",
                  "destinationAddressPrefix": "Storage",
                  "destinationPortRange": "443",
                  "priority": 200
                }
              },
              {
                "name": "AllowAzureActiveDirectoryOutbound",
                "properties": {
                  "description": "MSOnlineBackup: sign-in (Microsoft Entra ID)",
                  "direction": "Outbound",
                  "access": "Allow",
                  "protocol": "Tcp",
                  "sourceAddressPrefix": "VirtualNetwork",
                  "sourcePortRange": "*",
                  "destinationAddressPrefix": "AzureActiveDirectory",
                  "destinationPortRange": "443",
                  "priority": 210
                }
              }
            ]
            """;

        Assert.Equal(Expected.ReplaceLineEndings("\n"), NetworkSecurityRules.ToJson(RequiredEndpoints.ForAzure));
    }

    private static RequiredEndpoint SignIn() => RequiredEndpoints.ForAzure.Single(endpoint => endpoint.ServiceTag == "AzureActiveDirectory");
}
