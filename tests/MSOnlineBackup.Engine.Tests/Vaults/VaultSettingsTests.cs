using System.Text.Json.Nodes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Vaults.TestStores;

namespace MSOnlineBackup.Engine.Tests.Vaults;

public class VaultSettingsTests
{
    private const string First = "settings/00000001";
    private const string Second = "settings/00000002";

    private readonly MemoryVaultStore _objects = new();

    private VaultSettingsRegister Register => new VaultSettingsRegister(TestVault.Of(_objects, Header));

    [Fact]
    public async Task A_vault_that_says_nothing_has_the_defaults()
    {
        Assert.Equal(50, (await Register.ReadAsync(Cancel)).MachineLimit);

        Set(First, "{}");

        Assert.Equal(50, (await Register.ReadAsync(Cancel)).MachineLimit);
    }

    [Fact]
    public async Task Each_change_is_an_object_of_its_own_and_the_newest_holds()
    {
        Assert.Equal(7, (await SetAsync(7)).MachineLimit);
        byte[] first = _objects.GetContent(First);
        await SetAsync(8);
        await SetAsync(8);

        Assert.Equal([First, $"{First}.copy", Second, $"{Second}.copy"], _objects.Names);
        Assert.Equal(first, _objects.GetContent(First));
        Assert.Equal("""{"machineLimit":8}""", BodyOf(_objects.GetContent(Second)));
        Assert.Equal(8, (await Register.ReadAsync(Cancel)).MachineLimit);
    }

    [Fact]
    public async Task What_a_newer_version_has_set_survives_a_change_by_this_one()
    {
        const string Newer = """{"storageClass":"Cool","endpoints":[{"name":"a","open":false}],"machineLimit":60,"nothing":null}""";
        Set(First, Newer);

        await SetAsync(70);

        JsonNode expected = JsonNode.Parse(Newer.Replace("60", "70", StringComparison.Ordinal))!;
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(BodyOf(_objects.GetContent(Second)))));
    }

    [Fact]
    public async Task Tier_and_redundancy_are_kept_by_their_names()
    {
        await Register.ChangeAsync(
            Owner, _ => new VaultSettings(7) { AccessTier = VaultAccessTier.Cold, Redundancy = VaultRedundancy.GeoZoneRedundant }, Cancel);

        Assert.Equal("""{"machineLimit":7,"accessTier":"Cold","redundancy":"GeoZoneRedundant"}""", BodyOf(_objects.GetContent(First)));
        VaultSettings read = await Register.ReadAsync(Cancel);
        Assert.Equal((VaultAccessTier.Cold, VaultRedundancy.GeoZoneRedundant), (read.AccessTier, read.Redundancy));
    }

    [Theory]
    [InlineData("""{"accessTier":"Frozen"}""")]
    [InlineData("""{"accessTier":9}""")]
    [InlineData("""{"redundancy":"None"}""")]
    [InlineData("""{"redundancy":-1}""")]
    public async Task A_tier_or_redundancy_that_does_not_exist_is_damage(string settings)
    {
        Set(First, settings);

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => Register.ReadAsync(Cancel));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, error.Id);
    }

    [Fact]
    public async Task Of_many_changes_at_once_none_is_lost()
    {
        await SetAsync(1);

        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => Register.ChangeAsync(Owner, known => known with { MachineLimit = known.MachineLimit + 1 }, Cancel)));

        Assert.Equal(21, (await Register.ReadAsync(Cancel)).MachineLimit);
        Assert.Equal(2 * 21, _objects.Names.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(10_001)]
    public async Task A_limit_out_of_range_is_refused_and_nothing_written(int limit)
    {
        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => SetAsync(limit));

        Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id);
        Assert.Empty(_objects.Names);
        await SetAsync(1);
        await SetAsync(10_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"machineLimit":"60"}""")]
    [InlineData("""{"machineLimit":null}""")]
    [InlineData("""{"machineLimit":0}""")]
    [InlineData("""{"machineLimit":99999999999}""")]
    public async Task Damaged_settings_are_told_and_neither_guessed_nor_overwritten(string content)
    {
        await SetAsync(7);
        Set(Second, content);

        foreach (Func<Task> attempt in new Func<Task>[] { () => Register.ReadAsync(Cancel), () => SetAsync(9) })
        {
            BackupException fault = await Assert.ThrowsAsync<BackupException>(attempt);
            Assert.Equal((BackupErrorId.VaultDataCorrupt, Second), (fault.Id, fault.Target));
        }

        _objects.Remove(Second);
        Assert.Equal(7, (await Register.ReadAsync(Cancel)).MachineLimit);
    }

    [Fact]
    public async Task Settings_that_are_far_too_long_are_damaged()
    {
        Set(First, $$"""{"x":"{{new string('x', 1 << 16)}}"}""");

        Assert.Equal(BackupErrorId.VaultDataCorrupt, (await Assert.ThrowsAsync<BackupException>(() => Register.ReadAsync(Cancel))).Id);
    }

    [Theory]
    [InlineData("settings/1")]
    [InlineData("settings/000000020")]
    [InlineData("settings/0000000g")]
    [InlineData("settings/7fffffff")]
    [InlineData("settings/ffffffff")]
    [InlineData("settings/00000009/00000009")]
    [InlineData("settings/readme.txt")]
    public async Task What_is_no_number_of_the_series_is_passed_over(string name)
    {
        await SetAsync(7);
        _objects.SetContent(name, "x"u8.ToArray());

        Assert.Equal(7, (await Register.ReadAsync(Cancel)).MachineLimit);
        await SetAsync(8);
        Assert.Contains(Second, _objects.Names);
    }

    [Fact]
    public async Task After_the_last_number_a_change_is_refused()
    {
        Set("settings/7ffffffe", "{}");

        Assert.Equal(BackupErrorId.VaultDataCorrupt, (await Assert.ThrowsAsync<BackupException>(() => SetAsync(8))).Id);

        Assert.Single(_objects.Names);
    }

    [Fact]
    public async Task Only_a_vault_has_settings()
    {
        var owner = new KeptOwner();
        foreach (Func<Task> attempt in new Func<Task>[]
        {
            () => TestVault.ReadSettingsAsync(_objects, Cancel),
            () => TestVault.ChangeSettingsAsync(_objects, Owner, settings => settings with { MachineLimit = 2 }, Cancel),
            () => TestVault.UnregisterMachineAsync(_objects, Owner, "server", TimeProvider.System, Cancel),
        })
        {
            Assert.Equal(BackupErrorId.VaultHeaderInvalid, (await Assert.ThrowsAsync<BackupException>(attempt)).Id);
        }

        Assert.Empty(_objects.Names);
        await Vault.CreateNamedAsync(_objects, "Office", new VaultOptions(), Cancel, owner.Keep);
        await TestVault.ChangeSettingsAsync(_objects, owner.Key, settings => settings with { MachineLimit = 2 }, Cancel);
        Assert.Equal(2, (await TestVault.ReadSettingsAsync(_objects, Cancel)).MachineLimit);
        Assert.Equal(2, (await TestVault.InspectAsync(_objects, Cancel)).Settings.MachineLimit);
    }

    private void Set(string name, string body) => _objects.SetContent(name, Signed(name, body));

    private Task<VaultSettings> SetAsync(int limit) => Register.ChangeAsync(Owner, known => known with { MachineLimit = limit }, Cancel);
}
