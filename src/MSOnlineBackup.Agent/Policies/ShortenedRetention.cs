using System.Globalization;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>A policy keeps recovery points for a shorter time than it did.</summary>
/// <param name="Policy">The kind of the policy.</param>
/// <param name="Since">When it was shortened last, by this machine's clock (UTC).</param>
/// <param name="Before">What it kept.</param>
/// <param name="Now">What it keeps.</param>
public sealed record ShortenedRetention(PolicyKind Policy, DateTimeOffset Since, RetentionPolicy Before, RetentionPolicy Now)
{
    /// <summary>What is told of it, with the figures.</summary>
    /// <param name="machine">What this machine is called.</param>
    public VaultAlarm ToAlarm(string machine) => new(
        BackupErrorId.RetentionShortened,
        Since,
        machine,
        string.Create(
            CultureInfo.InvariantCulture,
            $"The retention of the policy for {PolicyScope.Of(Policy).Label} was shortened on {Since:u}. It kept {Before.Describe()}, and keeps {Now.Describe()}. Points that go by this before the time that they were made for stay in the vault for longer, unless its owner releases that."),
        "Ask who shortened it. A policy that keeps as much as before keeps the points that are there. If it was meant, the vault's owner releases the brake (Set-OBVault -ReleaseBrake).");
}
