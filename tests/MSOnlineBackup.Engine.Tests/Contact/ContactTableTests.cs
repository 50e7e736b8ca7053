using MSOnlineBackup.Agent.Contact;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Registers;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Contact;

/// <summary>The table of contact and subscription, cell by cell, in both profiles.</summary>
public sealed class ContactTableTests
{
    private const ContactVerdict Allow = ContactVerdict.Allow;
    private const ContactVerdict Warn = ContactVerdict.Warn;
    private const ContactVerdict Stop = ContactVerdict.Stop;

    /// <summary>Contact lost, subscription, operation; what the profile Mars makes of it, and what Open does.</summary>
    public static TheoryData<bool, VaultSubscription, VaultOperation, ContactVerdict, ContactVerdict> Cells { get; } = new()
    {
        { false, VaultSubscription.Active, VaultOperation.BackUpToCloud, Allow, Allow },
        { false, VaultSubscription.Active, VaultOperation.BackUpToDisk, Allow, Allow },
        { false, VaultSubscription.Active, VaultOperation.RestoreFromCloud, Allow, Allow },
        { false, VaultSubscription.Active, VaultOperation.RestoreFromDisk, Allow, Allow },
        { false, VaultSubscription.Expired, VaultOperation.BackUpToCloud, Stop, Stop },
        { false, VaultSubscription.Expired, VaultOperation.BackUpToDisk, Stop, Stop },
        { false, VaultSubscription.Expired, VaultOperation.RestoreFromCloud, Allow, Allow },
        { false, VaultSubscription.Expired, VaultOperation.RestoreFromDisk, Allow, Allow },
        { false, VaultSubscription.Deprovisioned, VaultOperation.BackUpToCloud, Stop, Stop },
        { false, VaultSubscription.Deprovisioned, VaultOperation.BackUpToDisk, Stop, Stop },
        { false, VaultSubscription.Deprovisioned, VaultOperation.RestoreFromCloud, Stop, Allow },
        { false, VaultSubscription.Deprovisioned, VaultOperation.RestoreFromDisk, Stop, Allow },
        { true, VaultSubscription.Active, VaultOperation.BackUpToCloud, Stop, Warn },
        { true, VaultSubscription.Active, VaultOperation.BackUpToDisk, Stop, Warn },
        { true, VaultSubscription.Active, VaultOperation.RestoreFromCloud, Allow, Allow },
        { true, VaultSubscription.Active, VaultOperation.RestoreFromDisk, Allow, Allow },
        { true, VaultSubscription.Expired, VaultOperation.BackUpToCloud, Stop, Stop },
        { true, VaultSubscription.Expired, VaultOperation.BackUpToDisk, Stop, Stop },
        { true, VaultSubscription.Expired, VaultOperation.RestoreFromCloud, Allow, Allow },
        { true, VaultSubscription.Expired, VaultOperation.RestoreFromDisk, Allow, Allow },
        { true, VaultSubscription.Deprovisioned, VaultOperation.BackUpToCloud, Stop, Stop },
        { true, VaultSubscription.Deprovisioned, VaultOperation.BackUpToDisk, Stop, Stop },
        { true, VaultSubscription.Deprovisioned, VaultOperation.RestoreFromCloud, Stop, Allow },
        { true, VaultSubscription.Deprovisioned, VaultOperation.RestoreFromDisk, Stop, Allow },
    };

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_cell_is_as_documented_in_both_profiles(bool isLost, VaultSubscription subscription, VaultOperation operation, ContactVerdict mars, ContactVerdict open)
    {
        Assert.Equal(mars, ContactTable.Decide(PolicyLimits.Mars, isLost, subscription, operation));
        Assert.Equal(open, ContactTable.Decide(PolicyLimits.Open, isLost, subscription, operation));
    }

    [Fact]
    public void There_are_24_cells_and_each_is_there_once() =>
        Assert.Equal(24, Cells.Select(cell => (cell.Data.Item1, cell.Data.Item2, cell.Data.Item3)).Distinct().Count());

    [Fact]
    public void The_engine_refuses_what_the_table_stops_whatever_the_contact()
    {
        foreach (VaultSubscription subscription in Enum.GetValues<VaultSubscription>())
        {
            bool refuses = SubscriptionErrors.OfBackup(subscription, "/vault") is not null;

            Assert.Equal(refuses, ContactTable.Decide(PolicyLimits.Open, isLost: false, subscription, VaultOperation.BackUpToDisk) == Stop);
            Assert.Equal(refuses, ContactTable.Decide(PolicyLimits.Mars, isLost: false, subscription, VaultOperation.BackUpToCloud) == Stop);
        }
    }

    [Fact]
    public void Contact_is_lost_a_second_after_fifteen_days_and_not_at_them()
    {
        var last = new DateTimeOffset(2026, 3, 1, 21, 0, 0, TimeSpan.Zero);

        Assert.False(ContactTable.IsLost(last, last));
        Assert.False(ContactTable.IsLost(last, last.AddDays(15)));
        Assert.True(ContactTable.IsLost(last, last.AddDays(15).AddSeconds(1)));
        Assert.False(ContactTable.IsLost(last, last.AddDays(-400)));
    }

    [Theory]
    [InlineData(true, true, VaultOperation.BackUpToCloud)]
    [InlineData(true, false, VaultOperation.BackUpToDisk)]
    [InlineData(false, true, VaultOperation.RestoreFromCloud)]
    [InlineData(false, false, VaultOperation.RestoreFromDisk)]
    public void An_operation_is_told_by_the_job_and_the_place_of_the_vault(bool isBackup, bool isRemote, VaultOperation operation) =>
        Assert.Equal(operation, ContactTable.OperationOf(isBackup, isRemote));
}
