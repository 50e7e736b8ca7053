using System.Reflection;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Protection;

/// <summary>Of each setting of a vault it is decided what protects less.</summary>
public sealed class SettingProtectionTests
{
    public static TheoryData<string, VaultSettings, VaultSettings, bool> Changes { get; } = new()
    {
        { "machineLimit", new(50), new(3), false },
        { "machineLimit", new(3), new(50), false },
        { "accessTier", new(), new() { AccessTier = VaultAccessTier.Cold }, false },
        { "subscription", new(), new() { Subscription = VaultSubscription.Deprovisioned }, false },
        { "redundancy", new(), new() { Redundancy = VaultRedundancy.LocallyRedundant }, false },
        { "requirePrivateEndpoint", new() { RequiresPrivateEndpoint = true }, new(), true },
        { "undeleteDays", new() { UndeleteDays = 30 }, new() { UndeleteDays = 29 }, true },
        { "brakeDays", new(), new() { BrakeDays = 0 }, true },
        { "immutability", new() { Immutability = VaultImmutability.On, ImmutableDays = 5 }, new() { ImmutableDays = 5 }, true },
        { "immutableDays", new() { Immutability = VaultImmutability.On, ImmutableDays = 5 }, new() { Immutability = VaultImmutability.On, ImmutableDays = 4 }, true },
        { "requirePin", new() { RequiresPin = true }, new(), true },
        { "approvers", new() { Approvers = ["one"] }, new() { Approvers = ["one", "mine"] }, true },
        { "parityPercent", new() { ParityPercent = 10 }, new() { ParityPercent = 5 }, true },
        { "parityPercent", new() { ParityPercent = 5 }, new(), true },
        { "verifyDays", new(), new() { VerifyDays = 31 }, true },
        { "verifyDays", new(), new() { VerifyDays = 0 }, true },
        { "verifyDays", new() { VerifyDays = 0 }, new() { VerifyDays = 3650 }, false },
        { "statuses", new(), new() { Statuses = StatusForm.Off }, true },
        { "statuses", new(), new() { Statuses = StatusForm.Plain }, false },
        { "maintainAfterBackup", new(), new() { MaintainsAfterBackup = false }, true },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void What_protects_less_is_told_and_what_protects_more_is_not(string name, VaultSettings before, VaultSettings after, bool isLooser)
    {
        Assert.Equal(isLooser, SettingProtection.All[name](before, after, "/vault"));
        Assert.Equal(isLooser, SettingProtection.IsLooser(before, after, "/vault"));
        Assert.False(SettingProtection.IsLooser(before, before, "/vault"));
        Assert.False(isLooser && SettingProtection.IsLooser(after, before, "/vault") && name != "approvers");
    }

    [Fact]
    public void In_a_cloud_nothing_is_read_back_unless_it_is_set()
    {
        Assert.False(SettingProtection.IsLooser(new VaultSettings(), new VaultSettings { VerifyDays = 0 }, "https://account.blob.core.windows.net/vault"));
        Assert.True(SettingProtection.IsLooser(new VaultSettings { VerifyDays = 90 }, new VaultSettings(), "https://account.blob.core.windows.net/vault"));
    }

    [Fact]
    public void No_setting_is_forgotten()
    {
        IEnumerable<string> names = typeof(VaultSettings).GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name).OfType<string>();

        Assert.Equal(names.Order(), SettingProtection.All.Keys.Order());
        Assert.Equal(SettingProtection.All.Keys.Order(), Changes.Select(change => change.Data.Item1).Distinct().Order());
    }
}
