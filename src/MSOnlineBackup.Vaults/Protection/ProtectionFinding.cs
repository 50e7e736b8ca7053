namespace MSOnlineBackup.Vaults.Protection;

/// <summary>What an attacker who has a machine's credential would try.</summary>
public enum ProtectionCheck
{
    /// <summary>To delete objects.</summary>
    Delete,

    /// <summary>To replace objects.</summary>
    Overwrite,

    /// <summary>To make objects look older or younger than they are, so that the wrong ones end.</summary>
    Backdate,

    /// <summary>To hide recovery points, and wait until they end.</summary>
    Hide,

    /// <summary>To make the vault protect less: shorten times, switch off what is on.</summary>
    Shorten,

    /// <summary>To become the vault's owner, with a key that lies on the machine.</summary>
    BecomeOwner,

    /// <summary>To destroy through the product, as somebody who sits at the machine.</summary>
    Destroy,

    /// <summary>To delete what is young, by whatever means the product has.</summary>
    DeleteYoung,

    /// <summary>To fill the vault until backups fail, or cost too much.</summary>
    Flood,

    /// <summary>To delete, past the product and with every right, what an immutable vault is to keep: whether the storage itself has it locked.</summary>
    StorageLock,
}

/// <summary>What came of an attempt.</summary>
public enum ProtectionVerdict
{
    /// <summary>It was refused, or does no harm.</summary>
    Held,

    /// <summary>It succeeded.</summary>
    NotHeld,

    /// <summary>It could not be tried here.</summary>
    NotApplicable,
}

/// <summary>What was tried, and what came of it.</summary>
/// <param name="Check">What was tried.</param>
/// <param name="Verdict">What came of it.</param>
/// <param name="Detail">The same as a sentence.</param>
/// <param name="Advice">What would help; empty where nothing is needed.</param>
public sealed record ProtectionFinding(ProtectionCheck Check, ProtectionVerdict Verdict, string Detail, string Advice = "");
