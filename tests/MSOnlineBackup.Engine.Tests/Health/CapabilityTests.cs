using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Platform.Machine;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Health;

/// <summary>What each system can do.</summary>
public sealed class CapabilityTests
{
    [Theory]
    [InlineData("Windows client", "Files", CapabilitySupport.Yes)]
    [InlineData("Windows client", "SystemState", CapabilitySupport.No)]
    [InlineData("Windows server", "SystemState", CapabilitySupport.No)]
    [InlineData("Windows server", "AlternateStreams", CapabilitySupport.Yes)]
    [InlineData("Windows server", "Snapshots", CapabilitySupport.Yes)]
    [InlineData("Windows client", "Snapshots", CapabilitySupport.Yes)]
    [InlineData("macOS", "Snapshots", CapabilitySupport.Yes)]
    [InlineData("Plan 9", "Snapshots", CapabilitySupport.No)]
    [InlineData("Linux", "SystemState", CapabilitySupport.Yes)]
    [InlineData("Linux", "Snapshots", CapabilitySupport.Yes)]
    [InlineData("Linux", "ExtendedAttributes", CapabilitySupport.Yes)]
    [InlineData("Linux", "AlternateStreams", CapabilitySupport.No)]
    [InlineData("macOS", "SystemState", CapabilitySupport.No)]
    [InlineData("macOS", "FileFlags", CapabilitySupport.Yes)]
    [InlineData("macOS", "AccessControlLists", CapabilitySupport.Partly)]
    [InlineData("Plan 9", "Files", CapabilitySupport.No)]
    [InlineData("Linux", "Mount", CapabilitySupport.Yes)]
    [InlineData("Windows client", "Mount", CapabilitySupport.Yes)]
    [InlineData("macOS", "Mount", CapabilitySupport.Partly)]
    public void A_system_can_what_the_table_says(string system, string name, CapabilitySupport expected)
    {
        Capability capability = Assert.Single(Of(system), capability => capability.Name == name);

        Assert.Equal(expected, capability.Support);
        Assert.NotEmpty(capability.Detail);
    }

    [Fact]
    public void Every_system_has_the_same_names()
    {
        string[] names = [.. Of("Linux").Select(capability => capability.Name)];

        Assert.Equal(names.Distinct(), names);
        Assert.All((string[])["Windows client", "Windows server", "macOS", "Plan 9"], system => Assert.Equal(
            names, Of(system).Select(capability => capability.Name)));
    }

    [Fact]
    public void Rights_tools_and_libraries_matter()
    {
        var bare = new HealthParts { System = System("Linux"), IsPrivileged = false, HasArgon2id = false, HasProgram = _ => false };
        Dictionary<string, Capability> capabilities = Capabilities.Of(bare, null, hasSystemState: true).ToDictionary(capability => capability.Name);

        Assert.Equal(
            [CapabilitySupport.Partly, CapabilitySupport.Partly, CapabilitySupport.No, CapabilitySupport.No, CapabilitySupport.No],
            ((string[])["Files", "Snapshots", "Schedules", "Argon2id", "FolderImmutability"]).Select(name => capabilities[name].Support));
        Assert.DoesNotContain("LVM", capabilities["Snapshots"].Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Windows client", "VSS", "administrator")]
    [InlineData("macOS", "APFS", "root")]
    public void Snapshots_need_rights(string system, string kind, string rights)
    {
        var bare = new HealthParts { System = System(system), IsPrivileged = false, HasProgram = _ => false };

        Capability snapshots = Assert.Single(Capabilities.Of(bare, null, hasSystemState: false), capability => capability.Name == "Snapshots");

        Assert.Equal(CapabilitySupport.Partly, snapshots.Support);
        Assert.Contains(kind, snapshots.Detail, StringComparison.Ordinal);
        Assert.Contains(rights, snapshots.Detail, StringComparison.Ordinal);
    }

    private static IEnumerable<Capability> Of(string system) => Capabilities.Of(
        new HealthParts { System = System(system), IsPrivileged = true, HasArgon2id = true, HasProgram = _ => true }, "a scheduler",
            hasSystemState: system == "Linux");

    private static SystemIdentity System(string system) => system switch
    {
        "Windows client" => new SystemIdentity(SystemFamily.Windows, system, new Version(10, 0, 26100)) { IsClient = true },
        "Windows server" => new SystemIdentity(SystemFamily.Windows, system, new Version(10, 0, 26100)),
        "Linux" => SystemIdentity.OfLinux(new Version(6, 1), ""),
        "macOS" => new SystemIdentity(SystemFamily.MacOS, system, new Version(26, 0)),
        _ => new SystemIdentity(SystemFamily.Other, system, new Version(4, 0)),
    };
}
