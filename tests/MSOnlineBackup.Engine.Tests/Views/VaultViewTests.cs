using System.Text;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;
using static MSOnlineBackup.Engine.Tests.Views.PointViewTests;

namespace MSOnlineBackup.Engine.Tests.Views;

/// <summary>All recovery points of a vault as a tree of files.</summary>
public sealed class VaultViewTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task Machines_hold_their_points_by_time_and_the_newest_as_latest()
    {
        _backups.Tree.File("file", "first"u8);
        RecoveryPoint first = (await _backups.BackUpAsync()).Point;
        _backups.Tree.Delete("file").File("file", "second!"u8);
        RecoveryPoint second = (await _backups.BackUpAsync()).Point;
        await _backups.BackUpAsync(Request(_backups.Root) with { MachineName = "Other" });
        using IItemView view = await OpenAsync(null);

        Assert.Equal(["Machine", "Other"], (await NamesAsync(view, view.Root.Id)).Order());
        ViewItem machine = await ResolveAsync(view, "Machine");
        Assert.Equal([NameOf(first), NameOf(second), "latest"], (await NamesAsync(view, machine.Id)).Order());
        ViewItem latest = await ResolveAsync(view, "Machine/latest");
        Assert.Equal(EntryKind.SymbolicLink, latest.Entry.Kind);
        Assert.Equal(NameOf(second), Encoding.UTF8.GetString(latest.Entry.LinkTarget.Span));
        Assert.Equal("first", await TextAsync(view, $"Machine/{NameOf(first)}{_backups.Root}/file"));
        Assert.Equal("second!", await TextAsync(view, $"Machine/{NameOf(second)}{_backups.Root}/file"));
    }

    [Fact]
    public async Task Of_one_machine_only_its_points_are_there()
    {
        _backups.Tree.File("file", 10);
        await _backups.BackUpAsync();
        await _backups.BackUpAsync(Request(_backups.Root) with { MachineName = "Other" });
        using IItemView view = await OpenAsync("Other");

        Assert.Equal(["Other"], await NamesAsync(view, view.Root.Id));
    }

    [Fact]
    public async Task Points_that_come_show_up_and_points_that_go_do_not_and_numbers_stay()
    {
        _backups.Tree.File("file", "first"u8);
        RecoveryPoint first = (await _backups.BackUpAsync()).Point;
        using UnlockedVault vault = await _backups.OpenAsync();
        using IItemView view = await (await vault.IndexAsync(Cancel)).OpenViewAsync((string?)null, new ViewOptions(), Cancel);
        ViewItem old = await ResolveAsync(view, $"Machine/{NameOf(first)}{_backups.Root}/file");
        Assert.InRange(view.Lasts(view.Root.Id), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.MaxValue, view.Lasts(old.Id));

        _backups.Tree.File("large", 2_000_000, seed: 4);
        RecoveryPoint second = (await _backups.BackUpAsync()).Point;
        ViewItem found = await ResolveAsync(view, $"Machine/{NameOf(second)}{_backups.Root}/large");
        Assert.Equal(2_000_000, await view.ReadAsync(found.Id, 0, new byte[3_000_000], Cancel));
        Assert.Equal(NameOf(second), Encoding.UTF8.GetString((await ResolveAsync(view, "Machine/latest")).Entry.LinkTarget.Span));

        await vault.Deletions.DeleteAsync(first, "test", Cancel);
        _backups.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([NameOf(second), "latest"], (await NamesAsync(view, (await ResolveAsync(view, "Machine")).Id)).Order());

        // Whoever is in it stays there.
        Assert.Equal(old.Entry.Size, (await view.GetAsync(old.Id, Cancel)).Entry.Size);
    }

    private static string NameOf(RecoveryPoint point) => point.SessionId.Announced!.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH-mm-ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<List<string>> NamesAsync(IItemView view, ulong folder) => [.. (await ListAsync(view, folder)).Select(item => item.ShownName)];

    private static async Task<string> TextAsync(IItemView view, string path)
    {
        byte[] buffer = new byte[1000];
        return Encoding.UTF8.GetString(buffer, 0, await view.ReadAsync((await ResolveAsync(view, path)).Id, 0, buffer, Cancel));
    }

    private async Task<IItemView> OpenAsync(string? machine) => await (await (await _backups.OpenAsync()).IndexAsync(Cancel)).OpenViewAsync(machine, new ViewOptions(), Cancel);
}
