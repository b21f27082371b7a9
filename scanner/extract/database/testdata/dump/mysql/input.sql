-- MySQL dump 10.13
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `elev`;
CREATE TABLE `elev` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `namn` varchar(100) DEFAULT 'a,b)',
  `pnr` char(13),
  PRIMARY KEY (`id`), KEY `n` (`namn`)
) ENGINE=InnoDB;
INSERT INTO `elev` VALUES (1,'Maja O\'Brien; Ek','19850709-2388'),(2,'Bo "Bosse"',NULL);
INSERT INTO `elev` VALUES (3,'rad1\nrad2','x');
INSERT INTO annan (a, b) VALUES (CONCAT('a','b'), 0x4ae4);
