using System.Globalization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A recovery point that is there by its name and cannot be read.</summary>
/// <param name="SessionId">Its id.</param>
/// <param name="MachineId">Its machine.</param>
/// <param name="MachineName">What the machine is called; null where the vault does not tell.</param>
/// <param name="Begun">When its backup began, as its id says (UTC); null where that is not a time.</param>
/// <param name="Damage">Why it cannot be read.</param>
public sealed record DamagedPoint(SessionId SessionId, MachineId MachineId, string? MachineName, DateTimeOffset? Begun, BackupException Damage)
{
    /// <summary>The error for a caller that wanted this point: the damage, and what is damaged.</summary>
    public BackupException ToError() => new(
        Damage.Id,
        $"{Subject} cannot be read: {Damage.Message}",
        "Bring the object back from a copy of the vault. Points before and after it are not harmed: 'obengine points' or 'Get-OBAllRecoveryPoints' lists them, "
            + "and each can be named by its id; 'obengine' also takes --skip-damaged with 'latest'.",
        SessionId.ToString(),
        innerException: Damage);

    private string Subject => string.Create(
        CultureInfo.InvariantCulture,
        $"The recovery point {SessionId.ToShortString()} of "
            + $"'{MachineName ?? MachineId.ToString()}'{(Begun is { } begun ? $", begun on {begun.UtcDateTime:yyyy-MM-dd 'at' HH:mm:ss} UTC," : null)}");
}
