namespace MSOnlineBackup.Vaults.Protection;

/// <summary>What somebody shows who wants to destroy: codes that others have given out for it. Each is good once.</summary>
/// <param name="Pin">The security PIN of the vault's owner; null where none was given. Not looked at where the vault asks for none.</param>
/// <param name="Approval">The code of an approver; null where none was given. Not looked at where the vault has no approvers.</param>
public sealed record Consent(string? Pin, string? Approval = null)
{
    /// <summary>Never the codes.</summary>
    public override string ToString() => nameof(Consent);
}

/// <summary>A code that was given out.</summary>
/// <param name="Code">The code. It is nowhere else: the vault knows it by a slow hash.</param>
/// <param name="ValidUntil">Until when it can be used, by the clock of the vault (UTC).</param>
/// <param name="Operation">For what; null for any one operation.</param>
public sealed record IssuedConsent(string Code, DateTimeOffset ValidUntil, GuardedOperation? Operation)
{
    /// <summary>Never the code.</summary>
    public override string ToString() => nameof(IssuedConsent);
}
